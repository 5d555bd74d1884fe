using FASTER.core;
using Session = FASTER.core.ClientSession<
    FASTER.core.SpanByte, FASTER.core.SpanByte, FASTER.core.SpanByte, FASTER.core.SpanByteAndMemory, FASTER.core.Empty,
    FASTER.core.IFunctions<
        FASTER.core.SpanByte, FASTER.core.SpanByte, FASTER.core.SpanByte, FASTER.core.SpanByteAndMemory, FASTER.core.Empty>>;

namespace Ashlar.KeyValue.Rivals;

/// <summary>
/// FASTER: all of its log in memory. It has no log of writes that is ahead of them: a put is durable once a checkpoint has been taken,
/// of which folding over writes what is new. It has no order of keys.
/// </summary>
sealed unsafe class FasterContender : IContender
{
    readonly IDevice device;
    readonly FasterKVSettings<SpanByte, SpanByte> settings;
    readonly FasterKV<SpanByte, SpanByte> store;
    readonly Session writer;

    public FasterContender(string directory, long memoryBytes)
    {
        device = Devices.CreateLogDevice(Path.Combine(directory, "hlog"));
        settings = new FasterKVSettings<SpanByte, SpanByte>
        {
            LogDevice = device,
            CheckpointDir = Path.Combine(directory, "checkpoints"),
            RemoveOutdatedCheckpoints = true,
            IndexSize = 32 << 20,
            MemorySize = memoryBytes,
            PageSize = 16 << 20,
        };
        store = new FasterKV<SpanByte, SpanByte>(settings);
        writer = NewSession();
    }

    public bool IsOrdered => false;

    public void Load(IEnumerable<(byte[] Key, byte[] Value)> entries)
    {
        foreach (var (key, value) in entries) Put(key, value);
        store.TakeFullCheckpointAsync(CheckpointType.FoldOver).AsTask().GetAwaiter().GetResult();
    }

    public IReader OpenReader() => new Reader(NewSession());

    public (long Entries, long Sum) Scan() => throw new NotSupportedException("FASTER keeps no order of keys.");

    public void PutDurably(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        Put(key, value);
        store.TakeHybridLogCheckpointAsync(CheckpointType.FoldOver).AsTask().GetAwaiter().GetResult();
    }

    public void Dispose()
    {
        writer.Dispose();
        store.Dispose();
        device.Dispose();
        settings.Dispose();
    }

    void Put(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        fixed (byte* keyBytes = key, valueBytes = value)
        {
            var storedKey = SpanByte.FromPointer(keyBytes, key.Length);
            var storedValue = SpanByte.FromPointer(valueBytes, value.Length);
            writer.Upsert(ref storedKey, ref storedValue);
        }
    }

    Session NewSession() =>
        store.NewSession<SpanByte, SpanByteAndMemory, Empty>(new SpanByteFunctions<Empty>());

    sealed class Reader(Session session) : IReader
    {
        public int Get(ReadOnlySpan<byte> key, Span<byte> destination)
        {
            fixed (byte* keyBytes = key)
            fixed (byte* target = destination)
            {
                var wanted = SpanByte.FromPointer(keyBytes, key.Length);
                var output = new SpanByteAndMemory(target, destination.Length);
                var status = session.Read(ref wanted, ref output);
                return status.Found ? output.Length : -1;
            }
        }

        public void Dispose() => session.Dispose();
    }
}
