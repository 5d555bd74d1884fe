using System.Text;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>Short words for what tests do with a sharded store.</summary>
static class ShardedTestStore
{
    public static ShardedKeyValueOptions Small(IFileSystem disk, int? shards = 4, int? hashedPrefix = null, bool inline = true) => new()
    {
        ShardCount = shards,
        HashedPrefixBytes = hashedPrefix,
        Store = TestStore.Small(disk, inline),
        OneByOne = inline,
    };

    public static ShardedKeyValueStore Open(IFileSystem disk, int? shards = 4, int? hashedPrefix = null, bool inline = true) =>
        ShardedKeyValueStore.Open(TestStore.Directory, Small(disk, shards, hashedPrefix, inline));

    public static ShardedKeyValueStore Open(IFileSystem disk, string directory) =>
        ShardedKeyValueStore.Open(directory, Small(disk, null));

    public static void Put(this ShardedKeyValueStore store, string key, string value, Durability durability = Durability.Sync) =>
        store.Put(TestStore.Bytes(key), TestStore.Bytes(value), durability);

    public static void Delete(this ShardedKeyValueStore store, string key) => store.Delete(TestStore.Bytes(key));

    public static string? Get(this ShardedKeyValueStore store, string key) =>
        store.Get(TestStore.Bytes(key)) is { } value ? Encoding.UTF8.GetString(value) : null;

    public static string ReadAll(this ShardedKeyValueCursor cursor)
    {
        var text = new List<string>();
        using (cursor)
        {
            while (cursor.MoveNext()) text.Add($"{Encoding.UTF8.GetString(cursor.Key)}={Encoding.UTF8.GetString(cursor.Value)}");
        }

        return string.Join(' ', text);
    }

    public static string ReadAll(this ShardedKeyValueStore store, ScanDirection direction = ScanDirection.Forward) =>
        store.Scan(KeyRange.All, direction).ReadAll();
}
