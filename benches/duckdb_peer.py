"""The store's peer: DuckDB asks the same segments the same questions.

Enters: the store's folder, the last day's midnight. Leaves: lines `figure NAME VALUE UNIT`, as the
store's own bench. Refuses: nothing. Addresses are 16 octets in the segments, hence the literal;
`approx_distinct` is `approx_count_distinct` here. Two threads, as the store's queries.
"""

import sys
import time

import duckdb

folder, day = sys.argv[1], sys.argv[2]
connection = duckdb.connect()
connection.execute("set threads = 2")
connection.execute("set timezone = 'UTC'")
for name in ("network_activity", "dns_activity", "http_activity"):
    connection.execute(
        f"create view {name} as select * from read_parquet('{folder}/segments/{name}/*/*.parquet')"
    )
columns = "time, class_uid, dst_ip, dst_port"
connection.execute(
    "create view events as "
    + " union all ".join(
        f"select {columns} from {name}"
        for name in ("network_activity", "dns_activity", "http_activity")
    )
)
needle = "'\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\xFF\\xFF\\x0A\\x00\\x03\\x07'::blob"
queries = {
    "needle_24h": f"select count(*), sum(dst_port) from events where dst_ip = {needle} "
    f"and time >= timestamptz '{day} 00:00:00+00'",
    "needle_all": f"select count(*), sum(dst_port) from events where dst_ip = {needle}",
    "histogram": "select time_bucket(interval '5 minutes', time) t, class_uid, count(*) "
    "from events group by 1, 2 order by 1, 2",
    "join": "select count(*) from http_activity h join network_activity n on h.src_ip = n.src_ip "
    "and h.dst_ip = n.dst_ip and date_trunc('minute', h.time) = date_trunc('minute', n.time) "
    "where h.http_code = 500",
    "substring": "select count(*) from http_activity where url_path like '%.pdf%'",
    "talkers": "select * from (select h, src_ip, b, row_number() over (partition by h order by b "
    "desc) r from (select date_trunc('hour', time) h, src_ip, sum(bytes) b from network_activity "
    "group by 1, 2)) where r <= 10",
    "distinct": "select src_ip, approx_count_distinct(query) n from dns_activity group by 1 "
    "order by n desc limit 10",
}
for name, text in queries.items():
    best = float("inf")
    for _ in range(3):
        start = time.perf_counter()
        rows = connection.execute(text).fetchall()
        best = min(best, (time.perf_counter() - start) * 1e3)
    print(f"figure {name} {best:.3f} ms")
    print(f"figure {name}_rows {len(rows)} rows")
    if len(rows) == 1:
        print(f"answer {name} {rows[0]}")
