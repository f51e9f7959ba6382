-- 500 tables of 20 rows: what a backup costs where the rows cost nothing.
SELECT format('CREATE TABLE tiny_%s AS SELECT k AS id, md5(k::text) AS label FROM generate_series(1, 20) k', t),
       format('ALTER TABLE tiny_%s ADD PRIMARY KEY (id)', t) FROM generate_series(1, 500) t \gexec
VACUUM ANALYZE;
