using System.Text;
using Ashlar.KeyValue.Sharding;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Victim;

/// <summary>What victims and judges do with a store, of whichever kind.</summary>
public abstract class VictimStore : IDisposable
{
    public static VictimStore Open(string directory, StoreKind kind, IFileSystem? disk = null, IEntropySource? entropy = null)
    {
        var options = VictimWorkload.OptionsOf(kind) with { FileSystem = disk, Entropy = entropy ?? SystemEntropy.Instance };
        return kind == StoreKind.Sharded ? new Sharded(directory, options) : new Single(directory, options);
    }

    public abstract byte[]? Get(string key);

    public abstract void Put(string key, string value, Durability durability);

    public abstract void Delete(string key, Durability durability);

    public abstract void Write(WriteBatch batch, Durability durability);

    public abstract Task WriteAsync(WriteBatch batch, Durability durability);

    public abstract void Sync();

    public abstract void Flush();

    public abstract void Compact();

    public abstract VerificationReport Verify();

    public abstract KeyValueStatistics GetStatistics();

    public abstract BackupInfo BackUp(string directory);

    public abstract Dictionary<string, string> ReadAll();

    public abstract void Dispose();

    static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);

    sealed class Single(string directory, KeyValueOptions options) : VictimStore
    {
        readonly KeyValueStore store = KeyValueStore.Open(directory, options);

        public override byte[]? Get(string key) => store.Get(Bytes(key));

        public override void Put(string key, string value, Durability durability) => store.Put(Bytes(key), Bytes(value), durability);

        public override void Delete(string key, Durability durability) => store.Delete(Bytes(key), durability);

        public override void Write(WriteBatch batch, Durability durability) => store.Write(batch, durability);

        public override Task WriteAsync(WriteBatch batch, Durability durability) => store.WriteAsync(batch, durability).AsTask();

        public override void Sync() => store.Sync();

        public override void Flush() => store.Flush();

        public override void Compact() => store.Compact();

        public override VerificationReport Verify() => store.Verify();

        public override KeyValueStatistics GetStatistics() => store.GetStatistics();

        public override BackupInfo BackUp(string directory) => store.BackUp(directory);

        public override Dictionary<string, string> ReadAll()
        {
            var found = new Dictionary<string, string>();
            using var cursor = store.Scan(KeyRange.All);
            while (cursor.MoveNext()) found.Add(Text(cursor.Key), Text(cursor.Value));
            return found;
        }

        public override void Dispose() => store.Dispose();
    }

    sealed class Sharded(string directory, KeyValueOptions options) : VictimStore
    {
        readonly ShardedKeyValueStore store = ShardedKeyValueStore.Open(directory, VictimWorkload.ShardedOptions with { Store = options });

        public override byte[]? Get(string key) => store.Get(Bytes(key));

        public override void Put(string key, string value, Durability durability) => store.Put(Bytes(key), Bytes(value), durability);

        public override void Delete(string key, Durability durability) => store.Delete(Bytes(key), durability);

        public override void Write(WriteBatch batch, Durability durability) => store.WritePerShard(batch, durability);

        public override Task WriteAsync(WriteBatch batch, Durability durability) => store.WritePerShardAsync(batch, durability);

        public override void Sync() => store.Sync();

        public override void Flush() => store.Flush();

        public override void Compact() => store.Compact();

        public override VerificationReport Verify() => store.Verify();

        public override KeyValueStatistics GetStatistics() => store.GetStatistics();

        public override BackupInfo BackUp(string directory) => throw new NotSupportedException("Shards are backed up one by one.");

        public override Dictionary<string, string> ReadAll()
        {
            var found = new Dictionary<string, string>();
            using var cursor = store.Scan(KeyRange.All);
            while (cursor.MoveNext()) found.Add(Text(cursor.Key), Text(cursor.Value));
            return found;
        }

        public override void Dispose() => store.Dispose();
    }
}
