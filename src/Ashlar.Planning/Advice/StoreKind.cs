namespace Ashlar.Planning;

/// <summary>A kind of store.</summary>
public enum StoreKind
{
    /// <summary>Tables, SQL, transactions over any rows: PostgreSQL, MySQL, SQL Server.</summary>
    Relational = 0,

    /// <summary>Documents found by key and by fields: MongoDB, Couchbase.</summary>
    Document,

    /// <summary>Values found by key, on disk: DynamoDB, FoundationDB, RocksDB, Ashlar.KeyValue.</summary>
    KeyValue,

    /// <summary>Rows by partition key, sorted within: Cassandra, ScyllaDB, Bigtable.</summary>
    WideColumn,

    /// <summary>Samples over time: InfluxDB, TimescaleDB, VictoriaMetrics.</summary>
    TimeSeries,

    /// <summary>Inverted indexes: Elasticsearch, OpenSearch, Solr.</summary>
    Search,

    /// <summary>Immutable blobs by name: S3 and its kin.</summary>
    Object,

    /// <summary>Columns, for scans and aggregates: ClickHouse, BigQuery, DuckDB.</summary>
    Columnar,

    /// <summary>Nodes and edges: Neo4j, JanusGraph.</summary>
    Graph,

    /// <summary>Values by key in memory: Redis, Memcached, Garnet.</summary>
    Cache,
}

/// <summary>What queries do.</summary>
public enum QueryPattern
{
    /// <summary>One record by its key.</summary>
    Lookup = 0,

    /// <summary>Records in the order of a key.</summary>
    Range,

    /// <summary>Several records changed as one.</summary>
    Transaction,

    /// <summary>Questions over several tables that nobody foresaw.</summary>
    Join,

    /// <summary>Nested records, found by their fields.</summary>
    Document,

    /// <summary>Sums and counts over many records.</summary>
    Aggregate,

    /// <summary>The samples of a source between two times.</summary>
    Window,

    /// <summary>Words in texts, best matches first.</summary>
    Search,

    /// <summary>Paths over many edges.</summary>
    Traverse,

    /// <summary>What is near a place.</summary>
    Nearby,

    /// <summary>Large immutable objects.</summary>
    Blob,

    /// <summary>Records that vanish after a time.</summary>
    Expire,
}

/// <summary>What a reader may see; a higher one includes the lower.</summary>
public enum Consistency
{
    /// <summary>A little old, for seconds.</summary>
    Eventual = 0,

    /// <summary>One's own writes at once, others' soon.</summary>
    Session,

    /// <summary>The newest value of a single record, always.</summary>
    Strong,

    /// <summary>Several records change as one, and nobody sees them half changed.</summary>
    Transactions,
}

/// <summary>What it would mean to lose the data.</summary>
public enum DataRole
{
    /// <summary>System of record: there is no other copy of the truth.</summary>
    Record = 0,

    /// <summary>Derived: it can be made again from a system of record.</summary>
    Derived,

    /// <summary>Ephemeral: its loss is a nuisance, and the next minutes bring it back.</summary>
    Ephemeral,
}
