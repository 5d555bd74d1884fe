namespace Ashlar.Planning;

/// <summary>The kinds of store, one after the other.</summary>
static class StoreProfiles
{
    const string Volume =
        "The disk under it: a thin, checksummed block volume over iSCSI or NBD. Replication and failover stay with the database: Ashlar "
            + "has neither yet.";
    const string Nothing = "Nothing of it; the disk under it can be a block volume over iSCSI or NBD.";

    public static IReadOnlyList<StoreProfile> All { get; } =
    [
        new(
            StoreKind.Relational,
            "relational database",
            Fits(
                (QueryPattern.Lookup, 3),
                (QueryPattern.Range, 3),
                (QueryPattern.Transaction, 3),
                (QueryPattern.Join, 3),
                (QueryPattern.Document, 2),
                (QueryPattern.Aggregate, 2),
                (QueryPattern.Window, 2),
                (QueryPattern.Search, 1),
                (QueryPattern.Traverse, 1),
                (QueryPattern.Nearby, 2),
                (QueryPattern.Blob, 1),
                (QueryPattern.Expire, 1)),
            Consistency.Transactions,
            MayBeRecord: true,
            ScalesOut: false,
            People: 1)
        {
            Examples = "PostgreSQL, MySQL, SQL Server, SQLite within one process",
            Strength = "Any rows change as one, constraints keep them right, and SQL answers questions that nobody foresaw.",
            TradeOff =
                "One primary takes all writes: beyond one machine comes sharding by hand, and with it the end of joins and transactions "
                    + "across shards.",
            Partition =
                "CP: the side without the primary reads old data or nothing; with automatic failover by quorum the minority side refuses "
                    + "writes.",
            Rpo = "0 with a synchronous standby; seconds with an asynchronous one; a minute with log archiving only",
            Rto = "30 s to 2 min by automatic failover",
            Ashlar = Volume,
        },
        new(
            StoreKind.Document,
            "document database",
            Fits(
                (QueryPattern.Lookup, 3),
                (QueryPattern.Range, 2),
                (QueryPattern.Transaction, 2),
                (QueryPattern.Join, 1),
                (QueryPattern.Document, 3),
                (QueryPattern.Aggregate, 1),
                (QueryPattern.Window, 1),
                (QueryPattern.Search, 1),
                (QueryPattern.Nearby, 2),
                (QueryPattern.Blob, 1),
                (QueryPattern.Expire, 2)),
            Consistency.Transactions,
            MayBeRecord: true,
            ScalesOut: true,
            People: 2)
        {
            Examples = "MongoDB, Couchbase, Firestore",
            Strength = "A record with all its parts is read and written in one piece, shapes may differ, and shards are built in.",
            TradeOff = "What is in two documents is kept right by the application; joins are poor, and transactions across shards slow.",
            Partition =
                "CP with majority writes: the minority side refuses writes. With weaker write concern acknowledged writes are rolled back.",
            Rpo = "0 with majority writes; seconds otherwise",
            Rto = "10 to 60 s by election",
            Ashlar = Volume,
        },
        new(
            StoreKind.KeyValue,
            "key-value store",
            Fits(
                (QueryPattern.Lookup, 3),
                (QueryPattern.Range, 2),
                (QueryPattern.Transaction, 1),
                (QueryPattern.Document, 1),
                (QueryPattern.Window, 1),
                (QueryPattern.Nearby, 1),
                (QueryPattern.Blob, 1),
                (QueryPattern.Expire, 3)),
            Consistency.Strong,
            MayBeRecord: true,
            ScalesOut: true,
            People: 1)
        {
            Examples = "FoundationDB, DynamoDB, etcd (small data); RocksDB, LMDB or Ashlar.KeyValue within one process",
            Strength = "One key, one seek: the cheapest durable read and write there is, and any key can go to any shard.",
            TradeOff = "No query but by key: every other way to find a record is an index that the application keeps.",
            Partition = "By product: CP with consensus for each shard (the minority side stops), or AP with conflicts to resolve.",
            Rpo =
                "0 where writes are replicated synchronously; an embedded engine on one machine loses with the machine what came after "
                    + "the last backup",
            Rto = "seconds where shards fail over; an embedded engine: restart, or restore",
            Ashlar =
                "Ashlar.KeyValue, embedded in one process: durable writes, scans, expiry, shards on one machine, online backup. No "
                    + "network protocol and no replication yet.",
        },
        new(
            StoreKind.WideColumn,
            "wide-column store",
            Fits(
                (QueryPattern.Lookup, 3),
                (QueryPattern.Range, 2),
                (QueryPattern.Document, 1),
                (QueryPattern.Window, 2),
                (QueryPattern.Expire, 3)),
            Consistency.Strong,
            MayBeRecord: true,
            ScalesOut: true,
            People: 4)
        {
            Examples = "Cassandra, ScyllaDB, HBase",
            Strength = "Writes scale with nodes, over several sites, without a primary; rows of a partition are sorted.",
            TradeOff =
                "A table for each query, no joins; deletes leave tombstones that reads pay for; repairs and compaction want people who "
                    + "know them.",
            Partition =
                "AP by default, tunable per query: with quorum reads and writes the minority side fails, and what is read is the newest.",
            Rpo = "0 for what a quorum acknowledged; seconds between sites",
            Rto = "0 for the loss of a node: others answer",
            Ashlar = Nothing,
        },
        new(
            StoreKind.TimeSeries,
            "time-series database",
            Fits(
                (QueryPattern.Lookup, 1),
                (QueryPattern.Range, 2),
                (QueryPattern.Aggregate, 2),
                (QueryPattern.Window, 3),
                (QueryPattern.Expire, 3)),
            Consistency.Session,
            MayBeRecord: true,
            ScalesOut: true,
            People: 2)
        {
            WritesOfNode = 5,
            Examples = "TimescaleDB, InfluxDB, VictoriaMetrics, Prometheus",
            Strength = "Samples are appended, compressed to a few bytes each, rolled up and dropped by age.",
            TradeOff = "Updates and deletes of single samples are dear; many distinct series (high cardinality) eat its memory.",
            Partition = "AP in most: both sides take samples, and gaps are filled later or not at all.",
            Rpo = "seconds: what was in memory or on its way",
            Rto = "a minute for a node; senders that buffer bridge it",
            Ashlar = Nothing,
        },
        new(
            StoreKind.Search,
            "search engine",
            Fits(
                (QueryPattern.Lookup, 1),
                (QueryPattern.Range, 1),
                (QueryPattern.Document, 2),
                (QueryPattern.Aggregate, 2),
                (QueryPattern.Window, 1),
                (QueryPattern.Search, 3),
                (QueryPattern.Nearby, 2)),
            Consistency.Eventual,
            MayBeRecord: false,
            ScalesOut: true,
            People: 3)
        {
            Examples = "Elasticsearch, OpenSearch, Solr, Meilisearch",
            Strength = "Inverted indexes find words in any text and rank what they find.",
            TradeOff = "What is written is found a second later; a change of the mapping means to index everything again.",
            Partition = "A quorum elects the leader; the minority side serves old results or none.",
            Rpo = "none of its own: it is indexed again from the system of record",
            Rto = "as long as indexing everything again takes; hours are common, unless there is a snapshot",
            Ashlar = Nothing,
        },
        new(
            StoreKind.Object,
            "object store",
            Fits(
                (QueryPattern.Lookup, 2),
                (QueryPattern.Range, 1),
                (QueryPattern.Document, 1),
                (QueryPattern.Window, 1),
                (QueryPattern.Blob, 3),
                (QueryPattern.Expire, 2)),
            Consistency.Strong,
            MayBeRecord: true,
            ScalesOut: true,
            People: 2)
        {
            Examples = "Amazon S3, Ceph RGW, MinIO, SeaweedFS",
            Strength = "The cheapest place for large things that do not change, with as much room as one buys.",
            TradeOff = "Tens of milliseconds a request, no change in place, and a price per request that small objects do not repay.",
            Partition = "CP for metadata in most: the side without quorum refuses writes.",
            Rpo = "0 within a site; minutes between sites",
            Rto = "0 for a drive or node; the site's for a site",
            Ashlar = "Nothing yet: files and S3 are not there. A file system on a block volume holds blobs of one machine.",
        },
        new(
            StoreKind.Columnar,
            "columnar warehouse",
            Fits(
                (QueryPattern.Range, 2),
                (QueryPattern.Join, 2),
                (QueryPattern.Aggregate, 3),
                (QueryPattern.Window, 3),
                (QueryPattern.Nearby, 1),
                (QueryPattern.Expire, 2)),
            Consistency.Session,
            MayBeRecord: true,
            ScalesOut: true,
            People: 2)
        {
            Examples = "ClickHouse, BigQuery, Snowflake, DuckDB within one process",
            Strength = "Reads only the columns that a question names, compressed five to ten times, a billion rows a second for each node.",
            TradeOff =
                "Wants batches: single-row inserts, updates and look-ups by key are slow, and there are no transactions worth the name.",
            Partition = "By product: inserts stop without the quorum of the coordinator, reads go on with what the side has.",
            Rpo = "the last batch, which is loaded again from its source",
            Rto = "minutes for a node; loading again from the source at worst",
            Ashlar = Nothing,
        },
        new(
            StoreKind.Graph,
            "graph database",
            Fits(
                (QueryPattern.Lookup, 2),
                (QueryPattern.Range, 1),
                (QueryPattern.Transaction, 2),
                (QueryPattern.Join, 1),
                (QueryPattern.Document, 1),
                (QueryPattern.Traverse, 3)),
            Consistency.Transactions,
            MayBeRecord: true,
            ScalesOut: false,
            People: 3)
        {
            Examples = "Neo4j, Memgraph, ArangoDB",
            Strength = "Follows edges by pointer: the price of a path does not grow with the size of the whole.",
            TradeOff =
                "A graph is hard to cut in parts, so it is one machine's; aggregates over everything are slow, and few people know it.",
            Partition = "CP: the minority side refuses writes.",
            Rpo = "0 with a quorum of core members; else the last backup",
            Rto = "a minute by election",
            Ashlar = Volume,
        },
        new(
            StoreKind.Cache,
            "in-memory cache",
            Fits(
                (QueryPattern.Lookup, 3),
                (QueryPattern.Range, 1),
                (QueryPattern.Document, 1),
                (QueryPattern.Nearby, 3),
                (QueryPattern.Expire, 3)),
            Consistency.Session,
            MayBeRecord: false,
            ScalesOut: true,
            People: 1)
        {
            WritesOfNode = 5,
            Examples = "Redis, Valkey, Memcached",
            Strength =
                "Memory speed: hundreds of thousands of operations a second for each node, with expiry and neighbours of a place built in.",
            TradeOff =
                "Everything must fit in memory, acknowledged writes are lost when a node dies, and what it copies has to be invalidated.",
            Partition = "AP in effect: failover by a majority, and writes to the old primary are lost.",
            Rpo = "seconds, up to everything: it must be affordable to lose",
            Rto = "seconds by failover, cold after: the store behind it takes the whole load until it is warm",
            Ashlar = "Nothing of it: Ashlar.KeyValue is on disk, within one process.",
        },
    ];

    public static StoreProfile Of(StoreKind kind) => All[(int)kind];

    static Dictionary<QueryPattern, int> Fits(params (QueryPattern Pattern, int Fit)[] fits) =>
        fits.ToDictionary(pair => pair.Pattern, pair => pair.Fit);
}
