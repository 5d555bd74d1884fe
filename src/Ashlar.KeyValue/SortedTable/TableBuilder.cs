using System.Buffers;
using Ashlar.KeyValue.Blocks;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Files;
using Ashlar.Storage;

namespace Ashlar.KeyValue.SortedTable;

/// <summary>Writes one table. Entries are added in order; nothing is durable before <see cref="Finish"/> returns.</summary>
sealed class TableBuilder : IDisposable
{
    const int WriteBufferBytes = 256 << 10;

    // However long the keys that an index names blocks by: one of few entries would need nearly as many above it.
    const int MinFanOut = 16;

    readonly StoreFiles files;
    readonly ulong id;
    readonly uint seed;
    readonly IFile file;
    readonly int blockBytes;
    readonly BlockBuilder data = new();
    readonly BlockBuilder index = new();
    readonly BlockBuilder root = new();
    readonly List<ulong> hashes = [];
    readonly ExpirySample expiries = new();
    byte[] writeBuffer;
    int buffered;
    long written;
    long count;
    long tombstones;
    ulong minSequence = ulong.MaxValue;
    ulong maxSequence;
    byte[] smallest = [];
    byte[] lastKey = [];
    int lastKeyLength;
    ulong lastSequence;

    // What the last finished block is named by.
    byte[] name = [];
    int nameLength;
    ulong nameSequence;
    bool finished;

    public TableBuilder(StoreFiles files, ulong id, int blockBytes)
    {
        this.files = files;
        this.id = id;
        this.blockBytes = blockBytes;
        seed = TableFooter.Seed(files.StoreId, id);
        file = files.FileSystem.Open(files.TablePath(id), FileOpenMode.CreateNew);
        writeBuffer = ArrayPool<byte>.Shared.Rent(WriteBufferBytes);
    }

    public long SizeBytes => written + buffered + data.SizeBytes;

    public long Count => count;

    ReadOnlySpan<byte> LastKey => lastKey.AsSpan(0, lastKeyLength);

    ReadOnlySpan<byte> Name => name.AsSpan(0, nameLength);

    public void Add(ReadOnlySpan<byte> key, ulong sequence, EntryKind kind, ReadOnlySpan<byte> value)
    {
        var sameKey = count > 0 && LastKey.SequenceEqual(key);
        Invariant.Require(count == 0 || EntryOrder.Compare(LastKey, lastSequence, key, sequence) < 0);
        // Packed, it takes less; but what is large by itself gets a block by itself.
        if (data.Count > 0 && data.SizeBytes + key.Length + value.Length > blockBytes)
        {
            NameBlockBefore(key, sameKey);
            FinishData();
        }

        data.Add(kind, key, sequence, value);
        if (count == 0) smallest = key.ToArray();
        // A key whose versions lie on both sides of a cut is in the filters of both.
        if (!sameKey || hashes.Count == 0) hashes.Add(KeyHash.Compute(key));
        if (lastKey.Length < key.Length) lastKey = new byte[Math.Max(64, key.Length * 2)];
        key.CopyTo(lastKey);
        lastKeyLength = key.Length;
        lastSequence = sequence;
        minSequence = Math.Min(minSequence, sequence);
        maxSequence = Math.Max(maxSequence, sequence);
        count++;
        if (kind == EntryKind.Delete) tombstones++;
        if (kind.Expires()) expiries.Add(Expiry.Read(value));
    }

    /// <summary>
    /// Completes the table and makes its content durable. Its name is not: the caller syncs the directory, once for all its
    /// tables, before the manifest names them.
    /// </summary>
    public TableInfo Finish(int level)
    {
        Invariant.Require(count > 0);
        NameByLastEntry();
        FinishData();
        FinishIndex();
        var rootHandle = WriteBlock(root);
        var length = written + buffered + TableFooter.SizeBytes;
        Span<byte> footer = stackalloc byte[TableFooter.SizeBytes];
        var content = new TableFooter(files.StoreId, id, rootHandle, count, minSequence, maxSequence, length);
        var crc = content.Write(footer);
        Write(footer);
        FlushBuffer();
        file.Sync();
        finished = true;
        return new TableInfo(id, level, length, crc, count, minSequence, maxSequence, smallest, LastKey.ToArray())
        {
            TombstoneCount = tombstones,
            Expiry = expiries.ToExpiry(),
        };
    }

    public void Dispose()
    {
        file.Dispose();
        if (!finished) files.TryDelete(file.Path);
        if (writeBuffer.Length == 0) return;
        ArrayPool<byte>.Shared.Return(writeBuffer);
        writeBuffer = [];
    }

    void FinishData()
    {
        Span<byte> handle = stackalloc byte[BlockHandle.EncodedBytes];
        WriteBlock(data).Write(handle);
        index.Add(EntryKind.Put, Name, nameSequence, handle);
        if (index.SizeBytes >= blockBytes && index.Count >= MinFanOut) FinishIndex();
    }

    // Behind every entry of the separator there could be, as none has sequence 0: what is sought at or below it may be in the block.
    void NameBlockBefore(ReadOnlySpan<byte> next, bool isKeyCut)
    {
        if (isKeyCut)
        {
            NameByLastEntry();
            return;
        }

        ReserveName();
        nameLength = Separator.Write(LastKey, next, name).Length;
        nameSequence = 0;
    }

    void NameByLastEntry()
    {
        ReserveName();
        LastKey.CopyTo(name);
        (nameLength, nameSequence) = (lastKeyLength, lastSequence);
    }

    void ReserveName()
    {
        if (name.Length < lastKeyLength) name = new byte[lastKey.Length];
    }

    void FinishIndex()
    {
        if (index.Count == 0) return;
        Span<byte> handle = stackalloc byte[PartitionHandle.EncodedBytes];
        new PartitionHandle(WriteBlock(index), WriteFilter()).Write(handle);
        root.Add(EntryKind.Put, Name, nameSequence, handle);
    }

    BlockHandle WriteFilter()
    {
        var filter = BloomFilter.Build(hashes);
        hashes.Clear();
        var offset = written + buffered;
        var crc = BloomFilter.Finish(filter, seed, offset);
        Write(filter);
        return new BlockHandle(offset, filter.Length, crc);
    }

    BlockHandle WriteBlock(BlockBuilder block)
    {
        Write(block.Finish(seed, written + buffered, out var handle));
        block.Clear();
        return handle;
    }

    void Write(ReadOnlySpan<byte> bytes)
    {
        if (buffered + bytes.Length > WriteBufferBytes) FlushBuffer();
        if (bytes.Length > WriteBufferBytes)
        {
            file.Write(bytes, written);
            written += bytes.Length;
            return;
        }

        bytes.CopyTo(writeBuffer.AsSpan(buffered));
        buffered += bytes.Length;
    }

    void FlushBuffer()
    {
        if (buffered == 0) return;
        file.Write(writeBuffer.AsSpan(0, buffered), written);
        written += buffered;
        buffered = 0;
    }
}
