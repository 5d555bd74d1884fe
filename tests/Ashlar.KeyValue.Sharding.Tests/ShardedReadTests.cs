using System.Text;

namespace Ashlar.KeyValue.Sharding.Tests;

/// <summary>What the plain and the sharded store, and snapshots of both, share: the same calls with the same answers.</summary>
public sealed class ShardedReadTests
{
    public static TheoryData<string> Stores => ["plain", "sharded", "salted"];

    [Theory, MemberData(nameof(Stores))]
    public async Task Every_store_does_what_the_interface_says(string kind)
    {
        var disk = TestStore.NewDisk();
        using var store = Open(disk, kind);
        await store.PutAsync("a/1"u8, "one"u8);
        store.Put("a/2"u8, "two"u8, Durability.Relaxed);
        var other = store.PutAsync("b/1"u8, "three"u8, Durability.Unflushed).AsTask();
        await Task.WhenAll(other, store.PutAsync("b/2"u8, "gone"u8).AsTask());
        await store.DeleteAsync("b/2"u8);
        await store.SyncAsync();
        if (kind != "salted") await store.PutAsync("b/3"u8, "short"u8, TimeSpan.FromDays(1));
        else Assert.Throws<NotSupportedException>(() => { _ = store.PutAsync("b/3"u8, "short"u8, TimeSpan.FromDays(1)).AsTask(); });

        using var snapshot = store.CreateSnapshot();
        foreach (var reader in (IKeyValueReader[])[store, snapshot])
        {
            Assert.True(reader.ContainsKey("a/1"u8));
            Assert.False(reader.ContainsKey("b/2"u8));
            Assert.Equal("two"u8.ToArray(), reader.Get("a/2"u8, out var info));
            Assert.True(info is { Sequence: > 0, ExpiresAt: null });
            Assert.Null(reader.Get("x"u8, out info));
            Assert.Equal(default, info);
            Assert.Equal(kind != "salted", reader.TryGetInfo("b/3"u8, out info) && info.ExpiresAt is not null);
            Assert.Equal(
                ["three", null, "one", "three"],
                reader.MultiGet(["b/1"u8.ToArray(), "b/2"u8.ToArray(), "a/1"u8.ToArray(), "b/1"u8.ToArray()]).Select(Text));
            Assert.Empty(reader.MultiGet([]));
            Assert.False(reader.TryGet("b/1"u8, new byte[4], out var length));
            Assert.Equal(5, length);
            using var cursor = reader.Scan(KeyRange.Prefix("a/"u8), ScanDirection.Backward);
            Assert.True(cursor.MoveNext());
            Assert.Equal("two", Text(cursor.Value.ToArray()));
            Assert.True(cursor.Seek("a/1+"u8));
            Assert.Equal("one", Text(cursor.Value.ToArray()));
            Assert.True(cursor.Seek("z"u8));
            Assert.Equal("two", Text(cursor.Value.ToArray()));
            Assert.False(cursor.Seek("a/0"u8));
            var keys = new List<string>();
            foreach (var entry in reader.Scan(KeyRange.Before("b/3"u8))) keys.Add(Encoding.UTF8.GetString(entry.Key));
            await foreach (var entry in reader.ScanAsync(KeyRange.Prefix("a/"u8))) keys.Add(Encoding.UTF8.GetString(entry.Key.Span));
            Assert.Equal(["a/1", "a/2", "b/1", "a/1", "a/2"], keys);
        }

        store.Close();
        Assert.Null(store.Failure);
        Assert.Throws<ObjectDisposedException>(() => { _ = store.PutAsync("a"u8, "x"u8).AsTask(); });
        Assert.Throws<ObjectDisposedException>(() => { _ = store.DeleteAsync("a"u8).AsTask(); });
        Assert.Throws<ObjectDisposedException>(() => { _ = store.SyncAsync().AsTask(); });
    }

    [Fact]
    public void Keys_of_several_shards_are_read_as_of_one_moment()
    {
        using var store = ShardedTestStore.Open(TestStore.NewDisk());
        for (var i = 0; i < 100; i++) store.Put($"{i}", "1");
        store.BeforeShardSnapshot = shard =>
        {
            if (shard != 2) return;
            store.BeforeShardSnapshot = null;
            for (var i = 0; i < 100; i++) store.Put($"{i}", "2");
        };
        var found = store.MultiGet([.. Enumerable.Range(0, 100).Select(i => (ReadOnlyMemory<byte>)TestStore.Bytes($"{i}"))]);
        Assert.Null(store.BeforeShardSnapshot);
        Assert.Single(found.Select(Text).Distinct());
    }

    static IKeyValueStore Open(Storage.IFileSystem disk, string kind)
    {
        if (kind == "plain") return KeyValueStore.Open(TestStore.Directory, TestStore.Small(disk));
        var options = ShardedTestStore.Small(disk);
        return ShardedKeyValueStore.Open(
            TestStore.Directory, kind == "salted" ? options with { SaltedPrefix = "b"u8.ToArray() } : options);
    }

    static string? Text(byte[]? value) => value is null ? null : Encoding.UTF8.GetString(value);
}
