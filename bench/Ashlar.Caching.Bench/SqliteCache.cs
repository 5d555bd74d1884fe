using System.Collections.Concurrent;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Caching.Distributed;

namespace Ashlar.Caching.Bench;

/// <summary>
/// The rival: a distributed cache over SQLite as one would write it to be fast. A write-ahead log that is not flushed at each commit, which
/// survives the death of the process as Ashlar's default does; all of the file mapped; connections and prepared statements used again.
/// </summary>
sealed class SqliteCache : IDistributedCache, IDisposable
{
    readonly string source;
    readonly ConcurrentBag<Session> sessions = [];

    public SqliteCache(string path)
    {
        source = $"Data Source={path};Pooling=False";
        using var connection = Connect();
        Execute(
            connection,
            "PRAGMA journal_mode=WAL; CREATE TABLE IF NOT EXISTS entries "
            + "(key TEXT PRIMARY KEY, expires INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID");
    }

    public byte[]? Get(string key)
    {
        var session = Rent();
        var found = session.Get(key, DateTimeOffset.UtcNow.ToUnixTimeMilliseconds());
        sessions.Add(session);
        return found;
    }

    public void Set(string key, byte[] value, DistributedCacheEntryOptions options)
    {
        var session = Rent();
        var expiry = options.AbsoluteExpirationRelativeToNow is { } time ? DateTimeOffset.UtcNow + time : DateTimeOffset.MaxValue;
        session.Set(key, value, expiry.ToUnixTimeMilliseconds());
        sessions.Add(session);
    }

    public void Remove(string key)
    {
        var session = Rent();
        session.Remove(key);
        sessions.Add(session);
    }

    public void Refresh(string key)
    {
        // HybridCache has no sliding expiry.
    }

    // SQLite's library is synchronous; so is what its package calls asynchronous.
    public Task<byte[]?> GetAsync(string key, CancellationToken token = default) => Task.FromResult(Get(key));

    public Task SetAsync(string key, byte[] value, DistributedCacheEntryOptions options, CancellationToken token = default)
    {
        Set(key, value, options);
        return Task.CompletedTask;
    }

    public Task RefreshAsync(string key, CancellationToken token = default) => Task.CompletedTask;

    public Task RemoveAsync(string key, CancellationToken token = default)
    {
        Remove(key);
        return Task.CompletedTask;
    }

    public void Dispose()
    {
        foreach (var session in sessions) session.Dispose();
    }

    Session Rent() => sessions.TryTake(out var session) ? session : new Session(Connect());

    SqliteConnection Connect()
    {
        var connection = new SqliteConnection(source);
        connection.Open();
        Execute(connection, "PRAGMA synchronous=NORMAL; PRAGMA mmap_size=2147483648; PRAGMA cache_size=-65536; PRAGMA busy_timeout=10000");
        return connection;
    }

    static void Execute(SqliteConnection connection, string text)
    {
        using var command = connection.CreateCommand();
        command.CommandText = text;
        command.ExecuteNonQuery();
    }

    sealed class Session : IDisposable
    {
        readonly SqliteConnection connection;
        readonly SqliteCommand get, set, remove;

        public Session(SqliteConnection connection)
        {
            this.connection = connection;
            get = Prepare("SELECT value FROM entries WHERE key = $key AND expires > $now", "$key", "$now");
            set = Prepare(
                "INSERT INTO entries VALUES ($key, $expires, $value) ON CONFLICT (key) DO UPDATE SET expires = excluded.expires, "
                + "value = excluded.value",
                "$key", "$expires", "$value");
            remove = Prepare("DELETE FROM entries WHERE key = $key", "$key");
        }

        public byte[]? Get(string key, long now)
        {
            get.Parameters[0].Value = key;
            get.Parameters[1].Value = now;
            return (byte[]?)get.ExecuteScalar();
        }

        public void Set(string key, byte[] value, long expires)
        {
            set.Parameters[0].Value = key;
            set.Parameters[1].Value = expires;
            set.Parameters[2].Value = value;
            set.ExecuteNonQuery();
        }

        public void Remove(string key)
        {
            remove.Parameters[0].Value = key;
            remove.ExecuteNonQuery();
        }

        public void Dispose()
        {
            get.Dispose();
            set.Dispose();
            remove.Dispose();
            connection.Dispose();
        }

        SqliteCommand Prepare(string text, params string[] parameters)
        {
            var command = connection.CreateCommand();
            command.CommandText = text;
            foreach (var parameter in parameters) command.Parameters.Add(new SqliteParameter(parameter, value: null));
            return command;
        }
    }
}
