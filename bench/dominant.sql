-- Nearly all in one table: psql -v scale=1 -f dominant.sql. Scale 1 is about 270 MB of COPY text.
CREATE TABLE devices AS SELECT i AS id, md5(i::text) AS name FROM generate_series(1, 2000) i;
ALTER TABLE devices ADD PRIMARY KEY (id);
CREATE TABLE measurements (
  id bigint PRIMARY KEY, device bigint NOT NULL REFERENCES devices, at timestamptz NOT NULL, kind text NOT NULL,
  value double precision NOT NULL, batch uuid NOT NULL);
INSERT INTO measurements
  SELECT i, 1 + (hashint8extended(i, 1) & 9223372036854775807) % 2000, timestamptz '2024-01-01' + i * interval '3 seconds',
         left(md5((i % 40)::text), 6), (hashint8extended(i, 2) & 9223372036854775807) % 100000000 / 65536.0, md5((i / 1000)::text)::uuid
  FROM generate_series(1, (:scale * 2700000)::bigint) i;
CREATE INDEX ON measurements (device, at);
VACUUM ANALYZE;
