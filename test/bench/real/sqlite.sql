-- A table of 250,000 rows, indexes, joins, aggregates, updates; in memory.
CREATE TABLE item(id INTEGER PRIMARY KEY, kind INTEGER, price INTEGER, name TEXT);
CREATE TABLE kind(id INTEGER PRIMARY KEY, label TEXT);
BEGIN;
WITH RECURSIVE n(i, r) AS (SELECT 1, 12345 UNION ALL
	SELECT i + 1, (r * 1103515245 + 12345) % 2147483648 FROM n WHERE i < 250000)
INSERT INTO item SELECT i, (r / 65536) % 200, (r / 256) % 10000, printf('%06x-%d', r % 16777216, i % 100) FROM n;
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 199)
INSERT INTO kind SELECT i, 'kind ' || i FROM n;
COMMIT;
CREATE INDEX item_kind ON item(kind, price);
CREATE INDEX item_name ON item(name);
SELECT label, count(*), sum(price), min(name) FROM item JOIN kind ON kind.id = item.kind
	GROUP BY label ORDER BY sum(price) DESC LIMIT 10;
UPDATE item SET price = price + 1 WHERE kind % 3 = 0;
SELECT count(*) FROM item a JOIN item b ON a.kind = b.kind AND a.price = b.price AND a.id < b.id;
SELECT substr(name, 1, 2) AS p, count(DISTINCT kind), sum(length(name)) FROM item GROUP BY p ORDER BY p LIMIT 20;
DELETE FROM item WHERE name LIKE '%7%' AND price BETWEEN 100 AND 5000;
SELECT count(*), sum(price) FROM item;
