-- pana 0.1.0: backup of a PostgreSQL 15.18 database as it was at 2026-11-28T07:01:35.244Z
-- restore it with "pana restore", or with psql -X -v ON_ERROR_STOP=1

\restrict foB1MM257cpK3xLDjYYqqV0TQqm2UpqRcVZuFYF1S7052AUv5ulKgJqOgQTLByk

SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET DateStyle = ISO;
SET IntervalStyle = postgres;
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;
SET lc_monetary = 'C';
SET array_nulls = on;
SET transform_null_equals = off;
SET default_transaction_isolation = 'read committed';
SELECT pg_catalog.set_config(name, '0', false) FROM pg_catalog.pg_settings WHERE name IN ('idle_session_timeout', 'transaction_timeout');
SELECT pg_catalog.set_config(name, '', false) FROM pg_catalog.pg_settings WHERE name = 'restrict_nonsystem_relation_kind';

-- pana:drop SELECT pg_catalog.lo_unlink(oid) FROM pg_catalog.pg_largeobject_metadata WHERE oid IN (4711,4712);
-- pana:drop ALTER TABLE IF EXISTS ONLY public.orders DROP CONSTRAINT IF EXISTS orders_customer_id_fkey;
-- pana:drop DROP INDEX IF EXISTS public.orders_at;
-- pana:drop ALTER TABLE IF EXISTS ONLY public.orders DROP CONSTRAINT IF EXISTS orders_pkey;
-- pana:drop ALTER TABLE IF EXISTS ONLY public.customers DROP CONSTRAINT IF EXISTS customers_pkey;
-- pana:drop ALTER TABLE IF EXISTS ONLY public.customers DROP CONSTRAINT IF EXISTS customers_email_key;
-- pana:drop ALTER TABLE IF EXISTS public.customers ALTER COLUMN id DROP DEFAULT;
-- pana:drop DROP MATERIALIZED VIEW IF EXISTS public.sums;
-- pana:drop DROP TABLE IF EXISTS public.orders;
-- pana:drop DROP TABLE IF EXISTS public.no_columns;
-- pana:drop DROP TABLE IF EXISTS public.empty;
-- pana:drop DROP SEQUENCE IF EXISTS public.customers_id_seq;
-- pana:drop DROP TABLE IF EXISTS public.customers;
-- pana:drop DROP TABLE IF EXISTS public.by_mood_1;
-- pana:drop DROP TABLE IF EXISTS public.by_mood_0;
-- pana:drop DROP TABLE IF EXISTS public.by_mood;
-- pana:drop DROP TABLE IF EXISTS "odd\nschema"."t""able";
-- pana:drop DROP TYPE IF EXISTS public.mood;
-- pana:drop DROP SCHEMA IF EXISTS "odd\nschema";
--
-- TOC entry 6 (class 2615 OID 17289)
-- Name: odd schema; Type: SCHEMA; Schema: -; Owner: postgres
--

CREATE SCHEMA "odd
schema";


ALTER SCHEMA "odd
schema" OWNER TO postgres;

--
-- TOC entry 848 (class 1247 OID 17291)
-- Name: mood; Type: TYPE; Schema: public; Owner: postgres
--

CREATE TYPE public.mood AS ENUM (
    'sad',
    'it''s "ok"',
    'happy'
);


ALTER TYPE public.mood OWNER TO postgres;

SET default_tablespace = '';

SET default_table_access_method = heap;

--
-- TOC entry 219 (class 1259 OID 17324)
-- Name: t"able; Type: TABLE; Schema: odd schema; Owner: postgres
--

CREATE TABLE "odd
schema"."t""able" (
    "col
umn" text,
    "back\slash" bytea
);


ALTER TABLE "odd
schema"."t""able" OWNER TO postgres;

--
-- TOC entry 222 (class 1259 OID 17335)
-- Name: by_mood; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.by_mood (
    mood public.mood,
    n integer
)
PARTITION BY HASH (mood);


ALTER TABLE public.by_mood OWNER TO postgres;

--
-- TOC entry 223 (class 1259 OID 17338)
-- Name: by_mood_0; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.by_mood_0 (
    mood public.mood,
    n integer
);


ALTER TABLE public.by_mood_0 OWNER TO postgres;

--
-- TOC entry 224 (class 1259 OID 17341)
-- Name: by_mood_1; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.by_mood_1 (
    mood public.mood,
    n integer
);


ALTER TABLE public.by_mood_1 OWNER TO postgres;

--
-- TOC entry 216 (class 1259 OID 17298)
-- Name: customers; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.customers (
    id integer NOT NULL,
    name text NOT NULL,
    email text,
    mood public.mood
);


ALTER TABLE public.customers OWNER TO postgres;

--
-- TOC entry 215 (class 1259 OID 17297)
-- Name: customers_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

CREATE SEQUENCE public.customers_id_seq
    AS integer
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;


ALTER TABLE public.customers_id_seq OWNER TO postgres;

--
-- TOC entry 3404 (class 0 OID 0)
-- Dependencies: 215
-- Name: customers_id_seq; Type: SEQUENCE OWNED BY; Schema: public; Owner: postgres
--

ALTER SEQUENCE public.customers_id_seq OWNED BY public.customers.id;


--
-- TOC entry 221 (class 1259 OID 17332)
-- Name: empty; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.empty (
    x integer
);


ALTER TABLE public.empty OWNER TO postgres;

--
-- TOC entry 220 (class 1259 OID 17329)
-- Name: no_columns; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.no_columns (
);


ALTER TABLE public.no_columns OWNER TO postgres;

--
-- TOC entry 218 (class 1259 OID 17310)
-- Name: orders; Type: TABLE; Schema: public; Owner: postgres
--

CREATE TABLE public.orders (
    id bigint NOT NULL,
    customer_id integer NOT NULL,
    net numeric NOT NULL,
    gross numeric GENERATED ALWAYS AS ((net * 1.19)) STORED,
    at timestamp with time zone NOT NULL
);


ALTER TABLE public.orders OWNER TO postgres;

--
-- TOC entry 3405 (class 0 OID 0)
-- Dependencies: 218
-- Name: TABLE orders; Type: COMMENT; Schema: public; Owner: postgres
--

COMMENT ON TABLE public.orders IS 'orders; -- of customers';


--
-- TOC entry 217 (class 1259 OID 17309)
-- Name: orders_id_seq; Type: SEQUENCE; Schema: public; Owner: postgres
--

ALTER TABLE public.orders ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.orders_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);


--
-- TOC entry 225 (class 1259 OID 17344)
-- Name: sums; Type: MATERIALIZED VIEW; Schema: public; Owner: postgres
--

CREATE MATERIALIZED VIEW public.sums AS
 SELECT orders.customer_id,
    sum(orders.net) AS sum
   FROM public.orders
  GROUP BY orders.customer_id
  WITH NO DATA;


ALTER TABLE public.sums OWNER TO postgres;

--
-- TOC entry 3234 (class 0 OID 0)
-- Name: by_mood_0; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.by_mood ATTACH PARTITION public.by_mood_0 FOR VALUES WITH (modulus 2, remainder 0);


--
-- TOC entry 3235 (class 0 OID 0)
-- Name: by_mood_1; Type: TABLE ATTACH; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.by_mood ATTACH PARTITION public.by_mood_1 FOR VALUES WITH (modulus 2, remainder 1);


--
-- TOC entry 3236 (class 2604 OID 17301)
-- Name: customers id; Type: DEFAULT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.customers ALTER COLUMN id SET DEFAULT nextval('public.customers_id_seq'::regclass);


--
-- TOC entry 0 (class 2995 OID 4711)
-- Name: 4711; Type: BLOB; Schema: -; Owner: postgres
--

SELECT pg_catalog.lo_create('4711');
ALTER LARGE OBJECT 4711 OWNER TO postgres;

--
-- TOC entry 0 (class 2995 OID 4712)
-- Name: 4712; Type: BLOB; Schema: -; Owner: postgres
--

SELECT pg_catalog.lo_create('4712');
ALTER LARGE OBJECT 4712 OWNER TO postgres;

COPY "odd
schema"."t""able" ("col
umn", "back\slash") FROM stdin;
tab\tnewline\nreturn\rbackslash\\ \\. \\N	\\x00ff5c
	\N
\N	\\x
ünïcode 役割 🐘	\\x0a
\.

COPY public.by_mood (mood, n) FROM stdin;
sad	3
sad	6
sad	9
sad	12
sad	15
sad	18
sad	21
sad	24
sad	27
sad	30
\.

COPY public.by_mood (mood, n) FROM stdin;
it's "ok"	1
happy	2
it's "ok"	4
happy	5
it's "ok"	7
happy	8
it's "ok"	10
happy	11
it's "ok"	13
happy	14
it's "ok"	16
happy	17
it's "ok"	19
happy	20
it's "ok"	22
happy	23
it's "ok"	25
happy	26
it's "ok"	28
happy	29
\.

COPY public.customers (id, name, email, mood) FROM stdin;
1	customer 1	1@example.org	it's "ok"
2	customer 2	2@example.org	happy
3	customer 3	\N	sad
4	customer 4	4@example.org	it's "ok"
5	customer 5	5@example.org	happy
6	customer 6	\N	sad
7	customer 7	7@example.org	it's "ok"
8	customer 8	8@example.org	happy
9	customer 9	\N	sad
10	customer 10	10@example.org	it's "ok"
11	customer 11	11@example.org	happy
12	customer 12	\N	sad
13	customer 13	13@example.org	it's "ok"
14	customer 14	14@example.org	happy
15	customer 15	\N	sad
16	customer 16	16@example.org	it's "ok"
17	customer 17	17@example.org	happy
18	customer 18	\N	sad
19	customer 19	19@example.org	it's "ok"
20	customer 20	20@example.org	happy
21	customer 21	\N	sad
22	customer 22	22@example.org	it's "ok"
23	customer 23	23@example.org	happy
24	customer 24	\N	sad
25	customer 25	25@example.org	it's "ok"
26	customer 26	26@example.org	happy
27	customer 27	\N	sad
28	customer 28	28@example.org	it's "ok"
29	customer 29	29@example.org	happy
30	customer 30	\N	sad
31	customer 31	31@example.org	it's "ok"
32	customer 32	32@example.org	happy
33	customer 33	\N	sad
34	customer 34	34@example.org	it's "ok"
35	customer 35	35@example.org	happy
36	customer 36	\N	sad
37	customer 37	37@example.org	it's "ok"
38	customer 38	38@example.org	happy
39	customer 39	\N	sad
40	customer 40	40@example.org	it's "ok"
41	customer 41	41@example.org	happy
42	customer 42	\N	sad
43	customer 43	43@example.org	it's "ok"
44	customer 44	44@example.org	happy
45	customer 45	\N	sad
46	customer 46	46@example.org	it's "ok"
47	customer 47	47@example.org	happy
48	customer 48	\N	sad
49	customer 49	49@example.org	it's "ok"
50	customer 50	50@example.org	happy
\.

COPY public.no_columns FROM stdin;


\.

COPY public.orders (id, customer_id, net, at) FROM stdin;
1	2	1.25	2024-02-29 13:00:00+00
2	3	2.50	2024-02-29 14:00:00+00
3	4	3.75	2024-02-29 15:00:00+00
4	5	5.00	2024-02-29 16:00:00+00
5	6	6.25	2024-02-29 17:00:00+00
6	7	7.50	2024-02-29 18:00:00+00
7	8	8.75	2024-02-29 19:00:00+00
8	9	10.00	2024-02-29 20:00:00+00
9	10	11.25	2024-02-29 21:00:00+00
10	11	12.50	2024-02-29 22:00:00+00
11	12	13.75	2024-02-29 23:00:00+00
12	13	15.00	2024-03-01 00:00:00+00
13	14	16.25	2024-03-01 01:00:00+00
14	15	17.50	2024-03-01 02:00:00+00
15	16	18.75	2024-03-01 03:00:00+00
16	17	20.00	2024-03-01 04:00:00+00
17	18	21.25	2024-03-01 05:00:00+00
18	19	22.50	2024-03-01 06:00:00+00
19	20	23.75	2024-03-01 07:00:00+00
20	21	25.00	2024-03-01 08:00:00+00
21	22	26.25	2024-03-01 09:00:00+00
22	23	27.50	2024-03-01 10:00:00+00
23	24	28.75	2024-03-01 11:00:00+00
24	25	30.00	2024-03-01 12:00:00+00
25	26	31.25	2024-03-01 13:00:00+00
26	27	32.50	2024-03-01 14:00:00+00
27	28	33.75	2024-03-01 15:00:00+00
28	29	35.00	2024-03-01 16:00:00+00
29	30	36.25	2024-03-01 17:00:00+00
30	31	37.50	2024-03-01 18:00:00+00
31	32	38.75	2024-03-01 19:00:00+00
32	33	40.00	2024-03-01 20:00:00+00
33	34	41.25	2024-03-01 21:00:00+00
34	35	42.50	2024-03-01 22:00:00+00
35	36	43.75	2024-03-01 23:00:00+00
36	37	45.00	2024-03-02 00:00:00+00
37	38	46.25	2024-03-02 01:00:00+00
38	39	47.50	2024-03-02 02:00:00+00
39	40	48.75	2024-03-02 03:00:00+00
40	41	50.00	2024-03-02 04:00:00+00
41	42	51.25	2024-03-02 05:00:00+00
42	43	52.50	2024-03-02 06:00:00+00
43	44	53.75	2024-03-02 07:00:00+00
44	45	55.00	2024-03-02 08:00:00+00
45	46	56.25	2024-03-02 09:00:00+00
46	47	57.50	2024-03-02 10:00:00+00
47	48	58.75	2024-03-02 11:00:00+00
48	49	60.00	2024-03-02 12:00:00+00
49	50	61.25	2024-03-02 13:00:00+00
50	1	62.50	2024-03-02 14:00:00+00
51	2	63.75	2024-03-02 15:00:00+00
52	3	65.00	2024-03-02 16:00:00+00
53	4	66.25	2024-03-02 17:00:00+00
54	5	67.50	2024-03-02 18:00:00+00
55	6	68.75	2024-03-02 19:00:00+00
56	7	70.00	2024-03-02 20:00:00+00
57	8	71.25	2024-03-02 21:00:00+00
58	9	72.50	2024-03-02 22:00:00+00
59	10	73.75	2024-03-02 23:00:00+00
60	11	75.00	2024-03-03 00:00:00+00
61	12	76.25	2024-03-03 01:00:00+00
62	13	77.50	2024-03-03 02:00:00+00
63	14	78.75	2024-03-03 03:00:00+00
64	15	80.00	2024-03-03 04:00:00+00
65	16	81.25	2024-03-03 05:00:00+00
66	17	82.50	2024-03-03 06:00:00+00
67	18	83.75	2024-03-03 07:00:00+00
68	19	85.00	2024-03-03 08:00:00+00
69	20	86.25	2024-03-03 09:00:00+00
70	21	87.50	2024-03-03 10:00:00+00
71	22	88.75	2024-03-03 11:00:00+00
72	23	90.00	2024-03-03 12:00:00+00
73	24	91.25	2024-03-03 13:00:00+00
74	25	92.50	2024-03-03 14:00:00+00
75	26	93.75	2024-03-03 15:00:00+00
76	27	95.00	2024-03-03 16:00:00+00
77	28	96.25	2024-03-03 17:00:00+00
78	29	97.50	2024-03-03 18:00:00+00
79	30	98.75	2024-03-03 19:00:00+00
80	31	100.00	2024-03-03 20:00:00+00
81	32	101.25	2024-03-03 21:00:00+00
82	33	102.50	2024-03-03 22:00:00+00
83	34	103.75	2024-03-03 23:00:00+00
84	35	105.00	2024-03-04 00:00:00+00
85	36	106.25	2024-03-04 01:00:00+00
86	37	107.50	2024-03-04 02:00:00+00
87	38	108.75	2024-03-04 03:00:00+00
88	39	110.00	2024-03-04 04:00:00+00
89	40	111.25	2024-03-04 05:00:00+00
90	41	112.50	2024-03-04 06:00:00+00
91	42	113.75	2024-03-04 07:00:00+00
92	43	115.00	2024-03-04 08:00:00+00
93	44	116.25	2024-03-04 09:00:00+00
94	45	117.50	2024-03-04 10:00:00+00
95	46	118.75	2024-03-04 11:00:00+00
96	47	120.00	2024-03-04 12:00:00+00
97	48	121.25	2024-03-04 13:00:00+00
98	49	122.50	2024-03-04 14:00:00+00
99	50	123.75	2024-03-04 15:00:00+00
100	1	125.00	2024-03-04 16:00:00+00
101	2	126.25	2024-03-04 17:00:00+00
102	3	127.50	2024-03-04 18:00:00+00
103	4	128.75	2024-03-04 19:00:00+00
104	5	130.00	2024-03-04 20:00:00+00
105	6	131.25	2024-03-04 21:00:00+00
106	7	132.50	2024-03-04 22:00:00+00
107	8	133.75	2024-03-04 23:00:00+00
108	9	135.00	2024-03-05 00:00:00+00
109	10	136.25	2024-03-05 01:00:00+00
110	11	137.50	2024-03-05 02:00:00+00
111	12	138.75	2024-03-05 03:00:00+00
112	13	140.00	2024-03-05 04:00:00+00
113	14	141.25	2024-03-05 05:00:00+00
114	15	142.50	2024-03-05 06:00:00+00
115	16	143.75	2024-03-05 07:00:00+00
116	17	145.00	2024-03-05 08:00:00+00
117	18	146.25	2024-03-05 09:00:00+00
118	19	147.50	2024-03-05 10:00:00+00
119	20	148.75	2024-03-05 11:00:00+00
120	21	150.00	2024-03-05 12:00:00+00
121	22	151.25	2024-03-05 13:00:00+00
122	23	152.50	2024-03-05 14:00:00+00
123	24	153.75	2024-03-05 15:00:00+00
124	25	155.00	2024-03-05 16:00:00+00
125	26	156.25	2024-03-05 17:00:00+00
126	27	157.50	2024-03-05 18:00:00+00
127	28	158.75	2024-03-05 19:00:00+00
128	29	160.00	2024-03-05 20:00:00+00
129	30	161.25	2024-03-05 21:00:00+00
130	31	162.50	2024-03-05 22:00:00+00
131	32	163.75	2024-03-05 23:00:00+00
132	33	165.00	2024-03-06 00:00:00+00
133	34	166.25	2024-03-06 01:00:00+00
134	35	167.50	2024-03-06 02:00:00+00
135	36	168.75	2024-03-06 03:00:00+00
136	37	170.00	2024-03-06 04:00:00+00
137	38	171.25	2024-03-06 05:00:00+00
138	39	172.50	2024-03-06 06:00:00+00
139	40	173.75	2024-03-06 07:00:00+00
140	41	175.00	2024-03-06 08:00:00+00
141	42	176.25	2024-03-06 09:00:00+00
142	43	177.50	2024-03-06 10:00:00+00
143	44	178.75	2024-03-06 11:00:00+00
144	45	180.00	2024-03-06 12:00:00+00
145	46	181.25	2024-03-06 13:00:00+00
146	47	182.50	2024-03-06 14:00:00+00
147	48	183.75	2024-03-06 15:00:00+00
148	49	185.00	2024-03-06 16:00:00+00
149	50	186.25	2024-03-06 17:00:00+00
150	1	187.50	2024-03-06 18:00:00+00
151	2	188.75	2024-03-06 19:00:00+00
152	3	190.00	2024-03-06 20:00:00+00
153	4	191.25	2024-03-06 21:00:00+00
154	5	192.50	2024-03-06 22:00:00+00
155	6	193.75	2024-03-06 23:00:00+00
156	7	195.00	2024-03-07 00:00:00+00
157	8	196.25	2024-03-07 01:00:00+00
158	9	197.50	2024-03-07 02:00:00+00
159	10	198.75	2024-03-07 03:00:00+00
160	11	200.00	2024-03-07 04:00:00+00
161	12	201.25	2024-03-07 05:00:00+00
162	13	202.50	2024-03-07 06:00:00+00
163	14	203.75	2024-03-07 07:00:00+00
164	15	205.00	2024-03-07 08:00:00+00
165	16	206.25	2024-03-07 09:00:00+00
166	17	207.50	2024-03-07 10:00:00+00
167	18	208.75	2024-03-07 11:00:00+00
168	19	210.00	2024-03-07 12:00:00+00
169	20	211.25	2024-03-07 13:00:00+00
170	21	212.50	2024-03-07 14:00:00+00
171	22	213.75	2024-03-07 15:00:00+00
172	23	215.00	2024-03-07 16:00:00+00
173	24	216.25	2024-03-07 17:00:00+00
174	25	217.50	2024-03-07 18:00:00+00
175	26	218.75	2024-03-07 19:00:00+00
176	27	220.00	2024-03-07 20:00:00+00
177	28	221.25	2024-03-07 21:00:00+00
178	29	222.50	2024-03-07 22:00:00+00
179	30	223.75	2024-03-07 23:00:00+00
180	31	225.00	2024-03-08 00:00:00+00
181	32	226.25	2024-03-08 01:00:00+00
182	33	227.50	2024-03-08 02:00:00+00
183	34	228.75	2024-03-08 03:00:00+00
184	35	230.00	2024-03-08 04:00:00+00
185	36	231.25	2024-03-08 05:00:00+00
186	37	232.50	2024-03-08 06:00:00+00
187	38	233.75	2024-03-08 07:00:00+00
188	39	235.00	2024-03-08 08:00:00+00
189	40	236.25	2024-03-08 09:00:00+00
190	41	237.50	2024-03-08 10:00:00+00
191	42	238.75	2024-03-08 11:00:00+00
192	43	240.00	2024-03-08 12:00:00+00
193	44	241.25	2024-03-08 13:00:00+00
194	45	242.50	2024-03-08 14:00:00+00
195	46	243.75	2024-03-08 15:00:00+00
196	47	245.00	2024-03-08 16:00:00+00
197	48	246.25	2024-03-08 17:00:00+00
198	49	247.50	2024-03-08 18:00:00+00
199	50	248.75	2024-03-08 19:00:00+00
200	1	250.00	2024-03-08 20:00:00+00
201	2	251.25	2024-03-08 21:00:00+00
202	3	252.50	2024-03-08 22:00:00+00
203	4	253.75	2024-03-08 23:00:00+00
204	5	255.00	2024-03-09 00:00:00+00
205	6	256.25	2024-03-09 01:00:00+00
206	7	257.50	2024-03-09 02:00:00+00
207	8	258.75	2024-03-09 03:00:00+00
208	9	260.00	2024-03-09 04:00:00+00
209	10	261.25	2024-03-09 05:00:00+00
210	11	262.50	2024-03-09 06:00:00+00
211	12	263.75	2024-03-09 07:00:00+00
212	13	265.00	2024-03-09 08:00:00+00
213	14	266.25	2024-03-09 09:00:00+00
214	15	267.50	2024-03-09 10:00:00+00
215	16	268.75	2024-03-09 11:00:00+00
216	17	270.00	2024-03-09 12:00:00+00
217	18	271.25	2024-03-09 13:00:00+00
218	19	272.50	2024-03-09 14:00:00+00
219	20	273.75	2024-03-09 15:00:00+00
220	21	275.00	2024-03-09 16:00:00+00
221	22	276.25	2024-03-09 17:00:00+00
222	23	277.50	2024-03-09 18:00:00+00
223	24	278.75	2024-03-09 19:00:00+00
224	25	280.00	2024-03-09 20:00:00+00
225	26	281.25	2024-03-09 21:00:00+00
226	27	282.50	2024-03-09 22:00:00+00
227	28	283.75	2024-03-09 23:00:00+00
228	29	285.00	2024-03-10 00:00:00+00
229	30	286.25	2024-03-10 01:00:00+00
230	31	287.50	2024-03-10 02:00:00+00
231	32	288.75	2024-03-10 03:00:00+00
232	33	290.00	2024-03-10 04:00:00+00
233	34	291.25	2024-03-10 05:00:00+00
234	35	292.50	2024-03-10 06:00:00+00
235	36	293.75	2024-03-10 07:00:00+00
236	37	295.00	2024-03-10 08:00:00+00
237	38	296.25	2024-03-10 09:00:00+00
238	39	297.50	2024-03-10 10:00:00+00
239	40	298.75	2024-03-10 11:00:00+00
240	41	300.00	2024-03-10 12:00:00+00
241	42	301.25	2024-03-10 13:00:00+00
242	43	302.50	2024-03-10 14:00:00+00
243	44	303.75	2024-03-10 15:00:00+00
244	45	305.00	2024-03-10 16:00:00+00
245	46	306.25	2024-03-10 17:00:00+00
246	47	307.50	2024-03-10 18:00:00+00
247	48	308.75	2024-03-10 19:00:00+00
248	49	310.00	2024-03-10 20:00:00+00
249	50	311.25	2024-03-10 21:00:00+00
250	1	312.50	2024-03-10 22:00:00+00
251	2	313.75	2024-03-10 23:00:00+00
252	3	315.00	2024-03-11 00:00:00+00
253	4	316.25	2024-03-11 01:00:00+00
254	5	317.50	2024-03-11 02:00:00+00
255	6	318.75	2024-03-11 03:00:00+00
256	7	320.00	2024-03-11 04:00:00+00
257	8	321.25	2024-03-11 05:00:00+00
258	9	322.50	2024-03-11 06:00:00+00
259	10	323.75	2024-03-11 07:00:00+00
260	11	325.00	2024-03-11 08:00:00+00
261	12	326.25	2024-03-11 09:00:00+00
262	13	327.50	2024-03-11 10:00:00+00
263	14	328.75	2024-03-11 11:00:00+00
264	15	330.00	2024-03-11 12:00:00+00
265	16	331.25	2024-03-11 13:00:00+00
266	17	332.50	2024-03-11 14:00:00+00
267	18	333.75	2024-03-11 15:00:00+00
268	19	335.00	2024-03-11 16:00:00+00
269	20	336.25	2024-03-11 17:00:00+00
270	21	337.50	2024-03-11 18:00:00+00
271	22	338.75	2024-03-11 19:00:00+00
272	23	340.00	2024-03-11 20:00:00+00
273	24	341.25	2024-03-11 21:00:00+00
274	25	342.50	2024-03-11 22:00:00+00
275	26	343.75	2024-03-11 23:00:00+00
276	27	345.00	2024-03-12 00:00:00+00
277	28	346.25	2024-03-12 01:00:00+00
278	29	347.50	2024-03-12 02:00:00+00
279	30	348.75	2024-03-12 03:00:00+00
280	31	350.00	2024-03-12 04:00:00+00
281	32	351.25	2024-03-12 05:00:00+00
282	33	352.50	2024-03-12 06:00:00+00
283	34	353.75	2024-03-12 07:00:00+00
284	35	355.00	2024-03-12 08:00:00+00
285	36	356.25	2024-03-12 09:00:00+00
286	37	357.50	2024-03-12 10:00:00+00
287	38	358.75	2024-03-12 11:00:00+00
288	39	360.00	2024-03-12 12:00:00+00
289	40	361.25	2024-03-12 13:00:00+00
290	41	362.50	2024-03-12 14:00:00+00
291	42	363.75	2024-03-12 15:00:00+00
292	43	365.00	2024-03-12 16:00:00+00
293	44	366.25	2024-03-12 17:00:00+00
294	45	367.50	2024-03-12 18:00:00+00
295	46	368.75	2024-03-12 19:00:00+00
296	47	370.00	2024-03-12 20:00:00+00
297	48	371.25	2024-03-12 21:00:00+00
298	49	372.50	2024-03-12 22:00:00+00
299	50	373.75	2024-03-12 23:00:00+00
300	1	375.00	2024-03-13 00:00:00+00
301	2	376.25	2024-03-13 01:00:00+00
302	3	377.50	2024-03-13 02:00:00+00
303	4	378.75	2024-03-13 03:00:00+00
304	5	380.00	2024-03-13 04:00:00+00
305	6	381.25	2024-03-13 05:00:00+00
306	7	382.50	2024-03-13 06:00:00+00
307	8	383.75	2024-03-13 07:00:00+00
308	9	385.00	2024-03-13 08:00:00+00
309	10	386.25	2024-03-13 09:00:00+00
310	11	387.50	2024-03-13 10:00:00+00
311	12	388.75	2024-03-13 11:00:00+00
312	13	390.00	2024-03-13 12:00:00+00
313	14	391.25	2024-03-13 13:00:00+00
314	15	392.50	2024-03-13 14:00:00+00
315	16	393.75	2024-03-13 15:00:00+00
316	17	395.00	2024-03-13 16:00:00+00
317	18	396.25	2024-03-13 17:00:00+00
318	19	397.50	2024-03-13 18:00:00+00
319	20	398.75	2024-03-13 19:00:00+00
320	21	400.00	2024-03-13 20:00:00+00
321	22	401.25	2024-03-13 21:00:00+00
322	23	402.50	2024-03-13 22:00:00+00
323	24	403.75	2024-03-13 23:00:00+00
324	25	405.00	2024-03-14 00:00:00+00
325	26	406.25	2024-03-14 01:00:00+00
326	27	407.50	2024-03-14 02:00:00+00
327	28	408.75	2024-03-14 03:00:00+00
328	29	410.00	2024-03-14 04:00:00+00
329	30	411.25	2024-03-14 05:00:00+00
330	31	412.50	2024-03-14 06:00:00+00
331	32	413.75	2024-03-14 07:00:00+00
332	33	415.00	2024-03-14 08:00:00+00
333	34	416.25	2024-03-14 09:00:00+00
334	35	417.50	2024-03-14 10:00:00+00
335	36	418.75	2024-03-14 11:00:00+00
336	37	420.00	2024-03-14 12:00:00+00
337	38	421.25	2024-03-14 13:00:00+00
338	39	422.50	2024-03-14 14:00:00+00
339	40	423.75	2024-03-14 15:00:00+00
340	41	425.00	2024-03-14 16:00:00+00
341	42	426.25	2024-03-14 17:00:00+00
342	43	427.50	2024-03-14 18:00:00+00
343	44	428.75	2024-03-14 19:00:00+00
344	45	430.00	2024-03-14 20:00:00+00
345	46	431.25	2024-03-14 21:00:00+00
346	47	432.50	2024-03-14 22:00:00+00
347	48	433.75	2024-03-14 23:00:00+00
348	49	435.00	2024-03-15 00:00:00+00
349	50	436.25	2024-03-15 01:00:00+00
350	1	437.50	2024-03-15 02:00:00+00
351	2	438.75	2024-03-15 03:00:00+00
352	3	440.00	2024-03-15 04:00:00+00
353	4	441.25	2024-03-15 05:00:00+00
354	5	442.50	2024-03-15 06:00:00+00
355	6	443.75	2024-03-15 07:00:00+00
356	7	445.00	2024-03-15 08:00:00+00
357	8	446.25	2024-03-15 09:00:00+00
358	9	447.50	2024-03-15 10:00:00+00
359	10	448.75	2024-03-15 11:00:00+00
360	11	450.00	2024-03-15 12:00:00+00
361	12	451.25	2024-03-15 13:00:00+00
362	13	452.50	2024-03-15 14:00:00+00
363	14	453.75	2024-03-15 15:00:00+00
364	15	455.00	2024-03-15 16:00:00+00
365	16	456.25	2024-03-15 17:00:00+00
366	17	457.50	2024-03-15 18:00:00+00
367	18	458.75	2024-03-15 19:00:00+00
368	19	460.00	2024-03-15 20:00:00+00
369	20	461.25	2024-03-15 21:00:00+00
370	21	462.50	2024-03-15 22:00:00+00
371	22	463.75	2024-03-15 23:00:00+00
372	23	465.00	2024-03-16 00:00:00+00
373	24	466.25	2024-03-16 01:00:00+00
374	25	467.50	2024-03-16 02:00:00+00
375	26	468.75	2024-03-16 03:00:00+00
376	27	470.00	2024-03-16 04:00:00+00
377	28	471.25	2024-03-16 05:00:00+00
378	29	472.50	2024-03-16 06:00:00+00
379	30	473.75	2024-03-16 07:00:00+00
380	31	475.00	2024-03-16 08:00:00+00
381	32	476.25	2024-03-16 09:00:00+00
382	33	477.50	2024-03-16 10:00:00+00
383	34	478.75	2024-03-16 11:00:00+00
384	35	480.00	2024-03-16 12:00:00+00
385	36	481.25	2024-03-16 13:00:00+00
386	37	482.50	2024-03-16 14:00:00+00
387	38	483.75	2024-03-16 15:00:00+00
388	39	485.00	2024-03-16 16:00:00+00
389	40	486.25	2024-03-16 17:00:00+00
390	41	487.50	2024-03-16 18:00:00+00
391	42	488.75	2024-03-16 19:00:00+00
392	43	490.00	2024-03-16 20:00:00+00
393	44	491.25	2024-03-16 21:00:00+00
394	45	492.50	2024-03-16 22:00:00+00
395	46	493.75	2024-03-16 23:00:00+00
396	47	495.00	2024-03-17 00:00:00+00
397	48	496.25	2024-03-17 01:00:00+00
398	49	497.50	2024-03-17 02:00:00+00
399	50	498.75	2024-03-17 03:00:00+00
400	1	500.00	2024-03-17 04:00:00+00
401	2	501.25	2024-03-17 05:00:00+00
402	3	502.50	2024-03-17 06:00:00+00
403	4	503.75	2024-03-17 07:00:00+00
404	5	505.00	2024-03-17 08:00:00+00
405	6	506.25	2024-03-17 09:00:00+00
406	7	507.50	2024-03-17 10:00:00+00
407	8	508.75	2024-03-17 11:00:00+00
408	9	510.00	2024-03-17 12:00:00+00
409	10	511.25	2024-03-17 13:00:00+00
410	11	512.50	2024-03-17 14:00:00+00
411	12	513.75	2024-03-17 15:00:00+00
412	13	515.00	2024-03-17 16:00:00+00
413	14	516.25	2024-03-17 17:00:00+00
414	15	517.50	2024-03-17 18:00:00+00
415	16	518.75	2024-03-17 19:00:00+00
416	17	520.00	2024-03-17 20:00:00+00
417	18	521.25	2024-03-17 21:00:00+00
418	19	522.50	2024-03-17 22:00:00+00
419	20	523.75	2024-03-17 23:00:00+00
420	21	525.00	2024-03-18 00:00:00+00
421	22	526.25	2024-03-18 01:00:00+00
422	23	527.50	2024-03-18 02:00:00+00
423	24	528.75	2024-03-18 03:00:00+00
424	25	530.00	2024-03-18 04:00:00+00
425	26	531.25	2024-03-18 05:00:00+00
426	27	532.50	2024-03-18 06:00:00+00
427	28	533.75	2024-03-18 07:00:00+00
428	29	535.00	2024-03-18 08:00:00+00
429	30	536.25	2024-03-18 09:00:00+00
430	31	537.50	2024-03-18 10:00:00+00
431	32	538.75	2024-03-18 11:00:00+00
432	33	540.00	2024-03-18 12:00:00+00
433	34	541.25	2024-03-18 13:00:00+00
434	35	542.50	2024-03-18 14:00:00+00
435	36	543.75	2024-03-18 15:00:00+00
436	37	545.00	2024-03-18 16:00:00+00
437	38	546.25	2024-03-18 17:00:00+00
438	39	547.50	2024-03-18 18:00:00+00
439	40	548.75	2024-03-18 19:00:00+00
440	41	550.00	2024-03-18 20:00:00+00
441	42	551.25	2024-03-18 21:00:00+00
442	43	552.50	2024-03-18 22:00:00+00
443	44	553.75	2024-03-18 23:00:00+00
444	45	555.00	2024-03-19 00:00:00+00
445	46	556.25	2024-03-19 01:00:00+00
446	47	557.50	2024-03-19 02:00:00+00
447	48	558.75	2024-03-19 03:00:00+00
448	49	560.00	2024-03-19 04:00:00+00
449	50	561.25	2024-03-19 05:00:00+00
450	1	562.50	2024-03-19 06:00:00+00
451	2	563.75	2024-03-19 07:00:00+00
452	3	565.00	2024-03-19 08:00:00+00
453	4	566.25	2024-03-19 09:00:00+00
454	5	567.50	2024-03-19 10:00:00+00
455	6	568.75	2024-03-19 11:00:00+00
456	7	570.00	2024-03-19 12:00:00+00
457	8	571.25	2024-03-19 13:00:00+00
458	9	572.50	2024-03-19 14:00:00+00
459	10	573.75	2024-03-19 15:00:00+00
460	11	575.00	2024-03-19 16:00:00+00
461	12	576.25	2024-03-19 17:00:00+00
462	13	577.50	2024-03-19 18:00:00+00
463	14	578.75	2024-03-19 19:00:00+00
464	15	580.00	2024-03-19 20:00:00+00
465	16	581.25	2024-03-19 21:00:00+00
466	17	582.50	2024-03-19 22:00:00+00
467	18	583.75	2024-03-19 23:00:00+00
468	19	585.00	2024-03-20 00:00:00+00
469	20	586.25	2024-03-20 01:00:00+00
470	21	587.50	2024-03-20 02:00:00+00
471	22	588.75	2024-03-20 03:00:00+00
472	23	590.00	2024-03-20 04:00:00+00
473	24	591.25	2024-03-20 05:00:00+00
474	25	592.50	2024-03-20 06:00:00+00
475	26	593.75	2024-03-20 07:00:00+00
476	27	595.00	2024-03-20 08:00:00+00
477	28	596.25	2024-03-20 09:00:00+00
478	29	597.50	2024-03-20 10:00:00+00
479	30	598.75	2024-03-20 11:00:00+00
480	31	600.00	2024-03-20 12:00:00+00
481	32	601.25	2024-03-20 13:00:00+00
482	33	602.50	2024-03-20 14:00:00+00
483	34	603.75	2024-03-20 15:00:00+00
484	35	605.00	2024-03-20 16:00:00+00
485	36	606.25	2024-03-20 17:00:00+00
486	37	607.50	2024-03-20 18:00:00+00
487	38	608.75	2024-03-20 19:00:00+00
488	39	610.00	2024-03-20 20:00:00+00
489	40	611.25	2024-03-20 21:00:00+00
490	41	612.50	2024-03-20 22:00:00+00
491	42	613.75	2024-03-20 23:00:00+00
492	43	615.00	2024-03-21 00:00:00+00
493	44	616.25	2024-03-21 01:00:00+00
494	45	617.50	2024-03-21 02:00:00+00
495	46	618.75	2024-03-21 03:00:00+00
496	47	620.00	2024-03-21 04:00:00+00
497	48	621.25	2024-03-21 05:00:00+00
498	49	622.50	2024-03-21 06:00:00+00
499	50	623.75	2024-03-21 07:00:00+00
500	1	625.00	2024-03-21 08:00:00+00
\.

SELECT pg_catalog.lo_put(4711, 0, '\x61206c61726765206f626a656374');
SELECT pg_catalog.setval('public.customers_id_seq', 50, true);
SELECT pg_catalog.setval('public.orders_id_seq', 500, true);
--
-- TOC entry 3239 (class 2606 OID 17307)
-- Name: customers customers_email_key; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.customers
    ADD CONSTRAINT customers_email_key UNIQUE (email) DEFERRABLE INITIALLY DEFERRED;


--
-- TOC entry 3241 (class 2606 OID 17305)
-- Name: customers customers_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (id);


--
-- TOC entry 3244 (class 2606 OID 17317)
-- Name: orders orders_pkey; Type: CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_pkey PRIMARY KEY (id);


--
-- TOC entry 3242 (class 1259 OID 17323)
-- Name: orders_at; Type: INDEX; Schema: public; Owner: postgres
--

CREATE INDEX orders_at ON public.orders USING btree (at);


--
-- TOC entry 3245 (class 2606 OID 17318)
-- Name: orders orders_customer_id_fkey; Type: FK CONSTRAINT; Schema: public; Owner: postgres
--

ALTER TABLE ONLY public.orders
    ADD CONSTRAINT orders_customer_id_fkey FOREIGN KEY (customer_id) REFERENCES public.customers(id);


--
-- TOC entry 3398 (class 0 OID 17344)
-- Dependencies: 225 3400
-- Name: sums; Type: MATERIALIZED VIEW DATA; Schema: public; Owner: postgres
--

REFRESH MATERIALIZED VIEW public.sums;


\unrestrict foB1MM257cpK3xLDjYYqqV0TQqm2UpqRcVZuFYF1S7052AUv5ulKgJqOgQTLByk

-- pana:index {"format":1,"pana":"0.1.0","database":"golden","server":"15.18","server_version_num":150018,"pg_dump":"15.18","encoding":"UTF8","snapshot_time":"2026-11-28T07:01:35.244Z","compression":"none","sequences":2,"large_objects":2,"filters":[],"roles":[{"name":"postgres","owns":true,"granted":false,"in_policy":false}],"extensions":[],"system_identifier":"7713111262284261466","locale":"libc C C","lc_monetary":"C","totals":{"tables":7,"rows":586,"text_bytes":29357}}
-- pana:header {"xxh64":"22112abece935609"}
-- pana:globals {"owner":"postgres","comment":"","connection_limit":-1,"grants":[{"grantee":"","privilege":"CONNECT","grantable":false},{"grantee":"","privilege":"TEMPORARY","grantable":false}],"settings":[],"roles":[{"name":"postgres","superuser":true,"createdb":true,"createrole":true,"inherit":true,"login":true,"replication":true,"bypassrls":true,"connection_limit":-1,"valid_until":"","comment":""}],"memberships":[]}
-- pana:object {"class":1247,"oid":17291,"type":"type","names":["public.mood"],"owner":"postgres"}
-- pana:object {"class":1259,"oid":17297,"type":"sequence","names":["public","customers_id_seq"],"owner":"postgres"}
-- pana:object {"class":1259,"oid":17298,"type":"table","names":["public","customers"],"owner":"postgres"}
-- pana:object {"class":1259,"oid":17309,"type":"sequence","names":["public","orders_id_seq"],"owner":"postgres"}
-- pana:object {"class":1259,"oid":17310,"type":"table","names":["public","orders"],"owner":"postgres"}
-- pana:object {"class":1259,"oid":17323,"type":"index","names":["public","orders_at"],"owner":"postgres"}
-- pana:object {"class":1259,"oid":17324,"type":"table","names":["odd\nschema","t\"able"],"owner":"postgres"}
-- pana:object {"class":1259,"oid":17329,"type":"table","names":["public","no_columns"],"owner":"postgres"}
-- pana:object {"class":1259,"oid":17332,"type":"table","names":["public","empty"],"owner":"postgres"}
-- pana:object {"class":1259,"oid":17335,"type":"table","names":["public","by_mood"],"owner":"postgres"}
-- pana:object {"class":1259,"oid":17338,"type":"table","names":["public","by_mood_0"],"owner":"postgres"}
-- pana:object {"class":1259,"oid":17341,"type":"table","names":["public","by_mood_1"],"owner":"postgres"}
-- pana:object {"class":1259,"oid":17344,"type":"materialized view","names":["public","sums"],"owner":"postgres"}
-- pana:object {"class":2604,"oid":17301,"type":"default value","names":["public","customers","id"]}
-- pana:object {"class":2606,"oid":17305,"type":"table constraint","names":["public","customers","customers_pkey"]}
-- pana:object {"class":2606,"oid":17307,"type":"table constraint","names":["public","customers","customers_email_key"]}
-- pana:object {"class":2606,"oid":17317,"type":"table constraint","names":["public","orders","orders_pkey"]}
-- pana:object {"class":2606,"oid":17318,"type":"table constraint","names":["public","orders","orders_customer_id_fkey"]}
-- pana:object {"class":2615,"oid":2200,"type":"schema","names":["public"],"owner":"pg_database_owner","acl":["pg_database_owner=UC/pg_database_owner","=U/pg_database_owner"]}
-- pana:object {"class":2615,"oid":17289,"type":"schema","names":["odd\nschema"],"owner":"postgres"}
-- pana:table {"id":1,"oid":17324,"schema":"odd\nschema","name":"t\"able","columns":["col\numn","back\\slash"],"rows":4,"bytes":91,"digest":"6e2c87004d7e196247c65e42c63fb3c3"}
-- pana:table {"id":2,"oid":17338,"schema":"public","name":"by_mood_0","columns":["mood","n"],"loaded_into":"public.by_mood","rows":10,"bytes":67,"digest":"a52fe159ec365a0e6157ed9bc7d8a95c"}
-- pana:table {"id":3,"oid":17341,"schema":"public","name":"by_mood_1","columns":["mood","n"],"loaded_into":"public.by_mood","rows":20,"bytes":214,"digest":"49bece74965f3d1eefa3453ec52530fe"}
-- pana:table {"id":4,"oid":17298,"schema":"public","name":"customers","columns":["id","name","email","mood"],"rows":50,"bytes":1620,"digest":"0b8588e57a1bad8bf4ea19156c492391","constraint_indexes":[{"constraint_oid":17305,"create_index":"CREATE UNIQUE INDEX customers_pkey ON public.customers USING btree (id)","add_constraint":"ALTER TABLE ONLY public.customers ADD CONSTRAINT customers_pkey PRIMARY KEY USING INDEX customers_pkey"},{"constraint_oid":17307,"create_index":"CREATE UNIQUE INDEX customers_email_key ON public.customers USING btree (email)","add_constraint":"ALTER TABLE ONLY public.customers ADD CONSTRAINT customers_email_key UNIQUE USING INDEX customers_email_key DEFERRABLE INITIALLY DEFERRED"}]}
-- pana:table {"id":5,"oid":17332,"schema":"public","name":"empty","columns":["x"],"rows":0,"bytes":0,"digest":"00000000000000000000000000000000"}
-- pana:table {"id":6,"oid":17329,"schema":"public","name":"no_columns","columns":[],"rows":2,"bytes":2,"digest":"33540da6028f31b0c00386488d1a92fe"}
-- pana:table {"id":7,"oid":17310,"schema":"public","name":"orders","columns":["id","customer_id","net","at"],"rows":500,"bytes":18216,"digest":"d67bebcafa36faa18c9d5a65d7e9e671","constraint_indexes":[{"constraint_oid":17317,"create_index":"CREATE UNIQUE INDEX orders_pkey ON public.orders USING btree (id)","add_constraint":"ALTER TABLE ONLY public.orders ADD CONSTRAINT orders_pkey PRIMARY KEY USING INDEX orders_pkey"}]}
-- pana:table {"id":0,"oid":0,"schema":"","name":"large objects","columns":[],"rows":1,"bytes":69,"digest":"2554d07ef77f0c3901a0e936e77568ff"}
-- pana:frame {"phase":"preamble","bytes":1019,"xxh64":"22cbd6975f36ad44"}
-- pana:frame {"phase":"clean","bytes":1279,"xxh64":"f2086a5c2e9acdca"}
-- pana:frame {"phase":"pre-data","bytes":4926,"xxh64":"c254eb578412317f"}
-- pana:frame {"phase":"rows","bytes":20535,"xxh64":"5a6600507f683276","tables":[[1,4],[2,10],[3,20],[4,50],[6,2],[7,500]]}
-- pana:frame {"phase":"rows","bytes":69,"xxh64":"2143457558b7ba96","tables":[[0,1]]}
-- pana:frame {"phase":"sequences","bytes":124,"xxh64":"25a530c0852ee71a"}
-- pana:frame {"phase":"post-data","bytes":1328,"xxh64":"8d2ba97c71cda1f4"}
-- pana:frame {"phase":"postamble","bytes":77,"xxh64":"8e70683a827d42a9"}
-- pana:end 00000000000000029357 5953ecdbd0243f4c
