using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using Ashlar.KeyValue.Caching.Entries;
using Ashlar.KeyValue.Caching.Eviction;
using Ashlar.Simulation;
using Ashlar.Storage;
using Microsoft.Extensions.Caching.Distributed;

namespace Ashlar.KeyValue.Caching.Tests;

/// <summary>A cache on a disk in memory, under a clock that stands still.</summary>
sealed class TestCache : IDisposable
{
    public const string Directory = "/store";

    readonly IFileSystem disk;
    readonly Action<KeyValueCacheOptions>? configure;

    readonly Func<KeyValueOptions, KeyValueOptions> adapt;

    public TestCache(
        Action<KeyValueCacheOptions>? configure = null, IFileSystem? disk = null, SimulatedClock? clock = null,
        Func<KeyValueOptions, KeyValueOptions>? adapt = null)
    {
        this.configure = configure;
        this.adapt = adapt ?? (options => options);
        this.disk = disk ?? new SimulatedFileSystem(isRecording: false);
        Clock = clock ?? new SimulatedClock();
        Open();
    }

    public SimulatedClock Clock { get; }

    public KeyValueStore Store { get; private set; } = null!;

    public KeyValueCache Cache { get; private set; } = null!;

    public void Open(Action<KeyValueCacheOptions>? configureAnew = null)
    {
        Store = KeyValueStore.Open(Directory, adapt(StoreOptions(disk, Clock)));
        OpenCache(configureAnew);
    }

    /// <summary>Another cache over the same store, in the place of the one that there is.</summary>
    public void Reopen()
    {
        Cache.Dispose();
        OpenCache(configureAnew: null);
    }

    void OpenCache(Action<KeyValueCacheOptions>? configureAnew)
    {
        var options = new KeyValueCacheOptions { TimeProvider = Clock };
        (configureAnew ?? configure)?.Invoke(options);
        Cache = new KeyValueCache(Store, options);
        Cache.Counting.GetAwaiter().GetResult();
    }

    public void Close()
    {
        Cache.Dispose();
        Store.Dispose();
    }

    public void Dispose() => Close();

    public void Set(string key, string value, DistributedCacheEntryOptions? options = null) =>
        Cache.Set(key, Encoding.UTF8.GetBytes(value), options ?? new());

    public string? Get(string key) => Cache.Get(key) is { } value ? Encoding.UTF8.GetString(value) : null;

    /// <summary>Entries without the cache looking at them, so that nothing is renewed or counted.</summary>
    public int CountEntries()
    {
        using var cursor = Store.Scan(new CacheKeys("cache/").Entries);
        var count = 0;
        while (cursor.MoveNext()) count++;
        return count;
    }

    /// <summary>Every entry has exactly one record, and what is used is what the records say and the entries take.</summary>
    public void RequireQueueIsExact()
    {
        var keys = new CacheKeys("cache/");
        var numbers = new Dictionary<string, ulong>(StringComparer.Ordinal);
        using (var cursor = Store.Scan(keys.Entries))
        {
            while (cursor.MoveNext())
            {
                if (!EntryHeader.TryRead(cursor.Value, out var header)) throw new InvalidOperationException("An entry has no header.");
                numbers.Add(Convert.ToHexString(cursor.Key[keys.PrefixBytes..]), header.Number);
            }
        }

        var used = 0L;
        var found = 0;
        using (var cursor = Store.Scan(keys.Queue))
        {
            while (cursor.MoveNext())
            {
                if (!QueueRecord.TryRead(keys, cursor.Key, cursor.Value, out var number, out var cost))
                    throw new InvalidOperationException("A record cannot be read.");
                used += cost;
                var expiresAt = BinaryPrimitives.ReadUInt64BigEndian(cursor.Key[(keys.PrefixBytes + 1)..]);
                if (numbers.TryGetValue(Convert.ToHexString(cursor.Value[QueueRecord.ValueHeadBytes..]), out var present)
                    && present == number)
                    found++;
                else if (expiresAt > (ulong)Clock.GetUtcNow().ToUnixTimeMilliseconds())
                    throw new InvalidOperationException("An entry that has not expired is gone, and its record is not.");
            }
        }

        if (found != numbers.Count) throw new InvalidOperationException($"{numbers.Count} entries have {found} records.");
        if (Cache.GetStatistics().UsedBytes != used)
            throw new InvalidOperationException($"{Cache.GetStatistics().UsedBytes} bytes are used; records say {used}.");
    }

    public static KeyValueOptions StoreOptions(IFileSystem disk, TimeProvider clock) => new()
    {
        FileSystem = disk,
        TimeProvider = clock,
        Entropy = new SeededEntropy(5),
        MemTableBytes = 64 << 10,
        TableBytes = 64 << 10,
        BlockCacheBytes = 1 << 20,
        SpaceReserveBytes = 0,
    };

    public static DistributedCacheEntryOptions For(TimeSpan time) => new() { AbsoluteExpirationRelativeToNow = time };

    public static DistributedCacheEntryOptions Sliding(TimeSpan window) => new() { SlidingExpiration = window };
}

/// <summary>The same calls in their four forms.</summary>
public abstract class CacheCalls
{
    /// <summary>"sync", "async", "buffers" and "async buffers".</summary>
    public static CacheCalls Of(string form) => form switch
    {
        "sync" => new Synchronous(),
        "async" => new Asynchronous(),
        "buffers" => new Buffers(),
        "async buffers" => new AsynchronousBuffers(),
        _ => throw new ArgumentOutOfRangeException(nameof(form)),
    };

    public abstract Task Set(IBufferDistributedCache cache, string key, byte[] value, DistributedCacheEntryOptions options);

    public abstract Task<byte[]?> Get(IBufferDistributedCache cache, string key);

    public virtual Task Refresh(IBufferDistributedCache cache, string key) => cache.RefreshAsync(key);

    public virtual Task Remove(IBufferDistributedCache cache, string key) => cache.RemoveAsync(key);

    // In two pieces: what comes need not lie together.
    static ReadOnlySequence<byte> Split(byte[] value)
    {
        var first = new Piece(value.AsMemory(0, value.Length / 2), 0);
        var second = first.Append(value.AsMemory(value.Length / 2));
        return new(first, 0, second, second.Memory.Length);
    }

    sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory, long start) => (Memory, RunningIndex) = (memory, start);

        public Piece Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Piece(memory, RunningIndex + Memory.Length);
            Next = next;
            return next;
        }
    }

    sealed class Synchronous : CacheCalls
    {
        public override Task Set(IBufferDistributedCache cache, string key, byte[] value, DistributedCacheEntryOptions options)
        {
            cache.Set(key, value, options);
            return Task.CompletedTask;
        }

        public override Task<byte[]?> Get(IBufferDistributedCache cache, string key) => Task.FromResult(cache.Get(key));

        public override Task Refresh(IBufferDistributedCache cache, string key)
        {
            cache.Refresh(key);
            return Task.CompletedTask;
        }

        public override Task Remove(IBufferDistributedCache cache, string key)
        {
            cache.Remove(key);
            return Task.CompletedTask;
        }
    }

    sealed class Asynchronous : CacheCalls
    {
        public override Task Set(IBufferDistributedCache cache, string key, byte[] value, DistributedCacheEntryOptions options) =>
            cache.SetAsync(key, value, options);

        public override Task<byte[]?> Get(IBufferDistributedCache cache, string key) => cache.GetAsync(key);
    }

    sealed class Buffers : CacheCalls
    {
        public override Task Set(IBufferDistributedCache cache, string key, byte[] value, DistributedCacheEntryOptions options)
        {
            cache.Set(key, Split(value), options);
            return Task.CompletedTask;
        }

        public override Task<byte[]?> Get(IBufferDistributedCache cache, string key)
        {
            var buffer = new ArrayBufferWriter<byte>();
            return Task.FromResult(cache.TryGet(key, buffer) ? buffer.WrittenSpan.ToArray() : null);
        }
    }

    sealed class AsynchronousBuffers : CacheCalls
    {
        public override async Task Set(IBufferDistributedCache cache, string key, byte[] value, DistributedCacheEntryOptions options) =>
            await cache.SetAsync(key, Split(value), options);

        public override async Task<byte[]?> Get(IBufferDistributedCache cache, string key)
        {
            var buffer = new ArrayBufferWriter<byte>();
            return await cache.TryGetAsync(key, buffer) ? buffer.WrittenSpan.ToArray() : null;
        }
    }
}
