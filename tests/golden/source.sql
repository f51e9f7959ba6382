-- The database of the golden backups: small, and with something of everything that the format describes.
CREATE SCHEMA "odd
schema";
CREATE TYPE public.mood AS ENUM ('sad', 'it''s "ok"', 'happy');
CREATE TABLE public.customers (
  id serial PRIMARY KEY,
  name text NOT NULL,
  email text UNIQUE DEFERRABLE INITIALLY DEFERRED,
  mood public.mood
);
CREATE TABLE public.orders (
  id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  customer_id integer NOT NULL REFERENCES public.customers (id),
  net numeric NOT NULL,
  gross numeric GENERATED ALWAYS AS (net * 1.19) STORED,
  at timestamptz NOT NULL
);
CREATE INDEX orders_at ON public.orders (at);
CREATE TABLE "odd
schema"."t""able" ("col
umn" text, dropped int, "back\slash" bytea);
ALTER TABLE "odd
schema"."t""able" DROP COLUMN dropped;
CREATE TABLE public.no_columns ();
CREATE TABLE public.empty (x int);
CREATE TABLE public.by_mood (mood public.mood, n int) PARTITION BY HASH (mood);
CREATE TABLE public.by_mood_0 PARTITION OF public.by_mood FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE public.by_mood_1 PARTITION OF public.by_mood FOR VALUES WITH (MODULUS 2, REMAINDER 1);

INSERT INTO public.customers (name, email, mood)
  SELECT 'customer ' || i, CASE WHEN i % 3 > 0 THEN i || '@example.org' END,
         (ARRAY['sad', 'it''s "ok"', 'happy'])[i % 3 + 1]::public.mood
  FROM generate_series(1, 50) AS i;
INSERT INTO public.orders (customer_id, net, at)
  SELECT i % 50 + 1, i * 1.25, '2024-02-29 12:00:00+00'::timestamptz + i * interval '1 hour'
  FROM generate_series(1, 500) AS i;
INSERT INTO "odd
schema"."t""able" VALUES (E'tab\tnewline\nreturn\rbackslash\\ \\. \\N', '\x00ff5c'), ('', NULL), (NULL, ''),
  ('ünïcode 役割 🐘', '\x0a');
INSERT INTO public.no_columns DEFAULT VALUES;
INSERT INTO public.no_columns DEFAULT VALUES;
INSERT INTO public.by_mood SELECT (ARRAY['sad', 'it''s "ok"', 'happy'])[i % 3 + 1]::public.mood, i
  FROM generate_series(1, 30) AS i;
SELECT lo_from_bytea(4711, 'a large object'), lo_create(4712);
CREATE MATERIALIZED VIEW public.sums AS SELECT customer_id, sum(net) FROM public.orders GROUP BY 1;
COMMENT ON TABLE public.orders IS 'orders; -- of customers';
