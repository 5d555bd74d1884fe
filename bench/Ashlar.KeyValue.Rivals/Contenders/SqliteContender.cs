using Microsoft.Data.Sqlite;

namespace Ashlar.KeyValue.Rivals;

/// <summary>SQLite: a table without row numbers, a write-ahead log, all of the file mapped, statements prepared once.</summary>
sealed class SqliteContender : IContender
{
    readonly string source;
    readonly long memoryBytes;
    readonly SqliteConnection writer;
    readonly SqliteCommand put;

    public SqliteContender(string directory, long memoryBytes)
    {
        source = $"Data Source={Path.Combine(directory, "data.sqlite")};Pooling=False";
        this.memoryBytes = memoryBytes;
        writer = Connect();
        Execute(writer, "PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS kv (k BLOB PRIMARY KEY, v BLOB NOT NULL) WITHOUT ROWID");
        put = Prepare(writer, "INSERT INTO kv VALUES ($k, $v) ON CONFLICT (k) DO UPDATE SET v = excluded.v", "$k", "$v");
    }

    public bool IsOrdered => true;

    public void Load(IEnumerable<(byte[] Key, byte[] Value)> entries)
    {
        using var transaction = writer.BeginTransaction();
        put.Transaction = transaction;
        foreach (var (key, value) in entries) Put(key, value);
        transaction.Commit();
        put.Transaction = null;
        Execute(writer, "PRAGMA wal_checkpoint(TRUNCATE)");
    }

    public IReader OpenReader() => new Reader(Connect());

    public (long Entries, long Sum) Scan()
    {
        using var connection = Connect();
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT k, v FROM kv ORDER BY k";
        using var rows = command.ExecuteReader();
        var buffer = new byte[1 << 16];
        var (entries, sum) = (0L, 0L);
        while (rows.Read())
        {
            entries++;
            sum += Touch.Sum(buffer.AsSpan(0, (int)rows.GetBytes(0, 0, buffer, 0, buffer.Length)));
            sum += Touch.Sum(buffer.AsSpan(0, (int)rows.GetBytes(1, 0, buffer, 0, buffer.Length)));
        }

        return (entries, sum);
    }

    public void PutDurably(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value) => Put(key.ToArray(), value.ToArray());

    public void Dispose()
    {
        put.Dispose();
        writer.Dispose();
    }

    void Put(byte[] key, byte[] value)
    {
        put.Parameters[0].Value = key;
        put.Parameters[1].Value = value;
        put.ExecuteNonQuery();
    }

    SqliteConnection Connect()
    {
        var connection = new SqliteConnection(source);
        connection.Open();
        Execute(
            connection,
            FormattableString.Invariant($"PRAGMA synchronous=FULL; PRAGMA mmap_size={memoryBytes}; PRAGMA cache_size=-65536"));
        return connection;
    }

    static void Execute(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }

    static SqliteCommand Prepare(SqliteConnection connection, string text, params string[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = text;
        foreach (var parameter in parameters) command.Parameters.Add(parameter, SqliteType.Blob);
        command.Prepare();
        return command;
    }

    sealed class Reader(SqliteConnection connection) : IReader
    {
        readonly SqliteCommand get = Prepare(connection, "SELECT v FROM kv WHERE k = $k", "$k");
        byte[] buffer = [];

        public int Get(ReadOnlySpan<byte> key, Span<byte> destination)
        {
            get.Parameters[0].Value = key.ToArray();
            using var row = get.ExecuteReader();
            if (!row.Read()) return -1;
            if (buffer.Length < destination.Length) buffer = new byte[destination.Length];
            var length = (int)row.GetBytes(0, 0, buffer, 0, destination.Length);
            buffer.AsSpan(0, length).CopyTo(destination);
            return length;
        }

        public void Dispose()
        {
            get.Dispose();
            connection.Dispose();
        }
    }
}
