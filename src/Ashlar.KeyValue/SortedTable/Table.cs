using System.Runtime.CompilerServices;
using Ashlar.KeyValue.Blocks;
using Ashlar.KeyValue.Cache;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.Files;
using Ashlar.Storage;

namespace Ashlar.KeyValue.SortedTable;

/// <summary>
/// An immutable sorted table on disk. When it has become obsolete, the last reader that leaves deletes the file.
/// </summary>
sealed unsafe class Table : SharedResource
{
    // Rounds of the cache's clock: a get that misses in a filter or index costs more than one that misses in data.
    const byte DataWorth = 1, PartitionWorth = 3;
    const int KeptReadBytes = 1 << 20;

    [ThreadStatic]
    static byte[]? readBuffer;

    readonly StoreFiles files;
    readonly IFile file;
    readonly BlockCache cache;
    readonly SharedResource[] segments;
    readonly uint seed;
    nint root;
    double newestShare; // 0 until it is looked up.
    CoveredShare covered = CoveredShare.None;
    KeptPartition[]? kept;
    Table? successor;
    bool obsolete;

    Table(
        StoreFiles files, IFile file, BlockCache cache, SharedResource[] segments, TableInfo info, TableFooter footer, uint seed)
    {
        this.files = files;
        this.file = file;
        this.cache = cache;
        this.segments = segments;
        this.seed = seed;
        Info = info;
        Footer = footer;
        cache.Acquire();
    }

    public TableInfo Info { get; }

    public TableFooter Footer { get; }

    public string Path => file.Path;

    /// <summary>Opens a table that the manifest lists, and takes references to the segments that hold its values.</summary>
    /// <exception cref="CorruptDataException">
    /// The file is missing, of another store or length, or its footer is damaged.
    /// </exception>
    public static Table Open(StoreFiles files, TableInfo info, BlockCache cache, IResourceMap values)
    {
        var path = files.TablePath(info.Id);
        if (!files.FileSystem.FileExists(path))
            throw new CorruptDataException(path, 0, "the manifest lists this table, but the file is missing");
        var file = files.Readers.Open(path);
        try
        {
            var length = file.LengthBytes;
            if (length != info.FileLength || length < TableFooter.SizeBytes)
                throw new CorruptDataException(
                    path, length, $"the manifest says {info.FileLength} bytes, the file has {length}");
            Span<byte> bytes = stackalloc byte[TableFooter.SizeBytes];
            var footerOffset = length - TableFooter.SizeBytes;
            if (file.Read(bytes, footerOffset) != bytes.Length)
                throw new CorruptDataException(path, footerOffset, "the footer is cut off");
            var footer = TableFooter.Read(bytes, path, footerOffset, out var crc);
            if (footer.StoreId != files.StoreId)
                throw new CorruptDataException(
                    path, footerOffset, $"the table belongs to store {footer.StoreId}, not to {files.StoreId}");
            if (footer.TableId != info.Id || crc != info.FooterCrc)
                throw new CorruptDataException(path, footerOffset, "the table is not the one that the manifest lists");
            var segments = new SharedResource[info.References.Length];
            for (var i = 0; i < segments.Length; i++) segments[i] = values.Find(info.References[i].SegmentId);
            foreach (var segment in segments) segment.Acquire();
            return new Table(files, file, cache, segments, info, footer, TableFooter.Seed(files.StoreId, info.Id));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The manifest does not list the table any more, durably: its file goes with its last reader.</summary>
    public void MarkObsolete()
    {
        files.Kept.Add(Info.FileLength);
        Volatile.Write(ref obsolete, true);
    }

    /// <summary>
    /// The same file is another table now, in another level: it must not go while readers of this one may open it again.
    /// </summary>
    public void MoveTo(Table other)
    {
        other.Acquire();
        successor = other;
    }

    /// <summary>Walks the table through the cache; close it.</summary>
    public EntryIterator CreateIterator() => new TableIterator(this, new CachedBlockSource(this, cache));

    /// <summary>Walks the whole table past the cache, which stays as it is: for merges and checks.</summary>
    public EntryIterator CreateSequentialIterator() => new TableIterator(this, new UncachedBlockSource(this));

    /// <summary>
    /// Finds the newest entry of a key at or below a sequence, for a reader within the epoch: its block stays readable
    /// until it leaves.
    /// </summary>
    public bool TryFind(int slot, ReadOnlySpan<byte> key, ulong keyHash, ulong sequence, out Block data, out int position)
    {
        data = default;
        position = 0;
        var top = Root(slot);
        if (top.IsNone) return false;
        var partition = top.Find(key, sequence);
        if (partition == top.Count) return false;
        var filter = Filter(slot, top, partition);
        if (filter.IsNone || !BloomFilter.MayContain(filter.Bytes, keyHash)) return false;
        var index = Index(slot, top, partition);
        if (index.IsNone) return false;
        var block = index.Find(key, sequence);
        if (block == index.Count) return false;
        data = Load(slot, HandleAt(index, block));
        if (data.IsNone) return false;
        position = data.Find(key, sequence);
        return position < data.Count && data.IsKeyAt(position, key);
    }

    /// <summary>
    /// Which share of the entries are the newest of their keys here, about: the others were kept for a snapshot. Looked up once.
    /// </summary>
    public double NewestShare(int slot)
    {
        const int Blocks = 4;
        var known = Volatile.Read(ref newestShare);
        if (known > 0) return known;
        var (newest, entries) = (0, 0);
        for (var sample = 0; sample < Blocks; sample++)
        {
            var block = BlockAt(slot, (sample + 0.5) / Blocks);
            entries += block.Count;
            newest += block.CountNewest();
        }

        known = (double)newest / entries;
        Volatile.Write(ref newestShare, known);
        return known;
    }

    /// <summary>What of it ranges have deleted, as it was last looked up (<see cref="CoveredShare.Of"/>).</summary>
    public CoveredShare Covered
    {
        get => Volatile.Read(ref covered);
        set => Volatile.Write(ref covered, value);
    }

    /// <summary>A data block from about that share of the way through the table, for a reader within the epoch.</summary>
    public Block BlockAt(int slot, double share)
    {
        var top = Root(slot);
        var partitions = share * top.Count;
        var partition = Math.Min((int)partitions, top.Count - 1);
        var index = Index(slot, top, partition);
        var position = Math.Min((int)((partitions - partition) * index.Count), index.Count - 1);
        return Load(slot, HandleAt(index, position));
    }

    /// <summary>The top index block, for a reader within the epoch.</summary>
    public Block Root(int slot)
    {
        var known = Volatile.Read(ref root);
        return known != 0 ? new Block((BlockMemory*)known) : LoadPartitionBlock(slot, ref root, Footer.Root, isFilter: false);
    }

    /// <summary>An index block, for a reader within the epoch.</summary>
    public Block Index(int slot, Block top, int partition)
    {
        ref var place = ref Kept(top)[partition].Index;
        var known = Volatile.Read(ref place);
        return known != 0
            ? new Block((BlockMemory*)known)
            : LoadPartitionBlock(slot, ref place, PartitionAt(top, partition).Index, isFilter: false);
    }

    /// <summary>The filter of an index block, for a reader within the epoch.</summary>
    public Block Filter(int slot, Block top, int partition)
    {
        ref var place = ref Kept(top)[partition].Filter;
        var known = Volatile.Read(ref place);
        return known != 0
            ? new Block((BlockMemory*)known)
            : LoadPartitionBlock(slot, ref place, PartitionAt(top, partition).Filter, isFilter: true);
    }

    /// <summary>A data block, for a reader within the epoch.</summary>
    public Block Load(int slot, in BlockHandle handle)
    {
        var found = cache.Find(slot, Info.Id, handle.Offset);
        return found.IsNone ? LoadSlowly(slot, handle, DataWorth, isFilter: false) : found;
    }

    /// <summary>Loads a block past the cache.</summary>
    public Block Load(BlockBuffer buffer, in BlockHandle handle) => buffer.Load(ReadBytes(handle), handle, seed, Path);

    /// <summary>The partitions of the table with their handles.</summary>
    public PartitionHandle PartitionAt(Block top, int partition)
    {
        var encoded = top.InlineAt(partition);
        return encoded.Length == PartitionHandle.EncodedBytes
            ? PartitionHandle.Read(encoded)
            : throw new CorruptDataException(Path, Footer.Root.Offset, $"entry {partition} of the top index is not a handle");
    }

    public BlockHandle HandleAt(Block index, int position)
    {
        var encoded = index.InlineAt(position);
        return encoded.Length == BlockHandle.EncodedBytes
            ? BlockHandle.Read(encoded)
            : throw new CorruptDataException(Path, index.Memory->Offset, $"entry {position} of the index is not a handle");
    }

    /// <summary>Reads a filter past the cache. The bytes are valid until the next read on this thread.</summary>
    public ReadOnlySpan<byte> ReadFilter(in BlockHandle handle)
    {
        if (!BloomFilter.IsLengthValid(handle.SizeBytes))
            throw new CorruptDataException(Path, handle.Offset, $"a filter cannot have {handle.SizeBytes} bytes");
        var bytes = ReadBytes(handle);
        if (bytes.IsEmpty) return bytes;
        BlockCheck.RequireTrailer(bytes, handle, seed, Path, BloomFilter.Encoding);
        return bytes;
    }

    protected override void Free()
    {
        Release(root);
        foreach (var partition in kept ?? [])
        {
            Release(partition.Index);
            Release(partition.Filter);
        }

        cache.Release();
        file.Dispose();
        if (Volatile.Read(ref obsolete))
        {
            files.TryDelete(Path);
            files.Kept.Remove(Info.FileLength);
        }

        successor?.Release();
        foreach (var segment in segments) segment.Release();

        void Release(nint block)
        {
            if (block != 0) cache.FreeKept(new Block((BlockMemory*)block));
        }
    }

    KeptPartition[] Kept(Block top)
    {
        if (Volatile.Read(ref kept) is { } known) return known;
        var created = new KeptPartition[top.Count];
        return Interlocked.CompareExchange(ref kept, created, null) ?? created;
    }

    // Kept by the table while the budget allows: then found without a look into the cache.
    [MethodImpl(MethodImplOptions.NoInlining)]
    Block LoadPartitionBlock(int slot, ref nint place, in BlockHandle handle, bool isFilter)
    {
        var found = cache.Find(slot, Info.Id, handle.Offset);
        if (!found.IsNone) return found;
        var block = LoadAlone(handle, PartitionWorth, isFilter);
        if (block.IsNone) return block;
        if (!cache.TryKeep(block)) return Share(slot, block);
        var other = Interlocked.CompareExchange(ref place, (nint)block.Memory, 0);
        if (other == 0) return block;
        cache.FreeKept(block);
        return new Block((BlockMemory*)other);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    Block LoadSlowly(int slot, in BlockHandle handle, byte worth, bool isFilter) => Share(slot, LoadAlone(handle, worth, isFilter));

    Block Share(int slot, Block block)
    {
        if (block.IsNone) return block;
        // The reader's own reference can go at once when the cache has taken one: what it evicts stays until the reader leaves.
        if (cache.TryAdd(block)) cache.ReleaseBlock(block);
        else cache.ReleaseOnExit(slot, block);
        return block;
    }

    Block LoadAlone(in BlockHandle handle, byte worth, bool isFilter)
    {
        if (isFilter)
        {
            var filter = ReadFilter(handle);
            if (filter.IsEmpty) return default;
            var raw = cache.Allocate(BlockMemory.Needed(filter.Length, 0), Info.Id, handle.Offset, worth);
            raw.FillRaw(filter);
            return raw;
        }

        var bytes = ReadBytes(handle);
        if (bytes.IsEmpty) return default;
        var needed = BlockCheck.Require(bytes, handle, seed, Path);
        var block = cache.Allocate(needed, Info.Id, handle.Offset, worth);
        block.Fill(bytes);
        return block;
    }

    // Into a buffer of the thread: valid until its next read. Nothing where the thread must not wait and would have to.
    ReadOnlySpan<byte> ReadBytes(in BlockHandle handle)
    {
        // Handles are covered by checksums; a wrong one would still not make us allocate more than the file is long.
        if (handle.Offset < 0 || handle.SizeBytes <= Block.TrailerBytes || handle.Offset + handle.SizeBytes > Info.FileLength)
            throw new CorruptDataException(Path, Math.Max(0, handle.Offset), "a block lies outside the table");
        var buffer = readBuffer;
        if (buffer is null || buffer.Length < handle.SizeBytes)
        {
            buffer = GC.AllocateUninitializedArray<byte>(Math.Max(64 << 10, handle.SizeBytes));
            if (buffer.Length <= KeptReadBytes) readBuffer = buffer;
        }

        var bytes = buffer.AsSpan(0, handle.SizeBytes);
        if (!CachedReads.AreRequired)
        {
            if (file.Read(bytes, handle.Offset) == bytes.Length) return bytes;
        }
        else if (!file.TryReadCached(bytes, handle.Offset, out var read))
        {
            CachedReads.Refuse();
            return default;
        }
        else if (read == bytes.Length)
        {
            return bytes;
        }

        throw new CorruptDataException(Path, handle.Offset, "the table is cut off");
    }

    struct KeptPartition
    {
        public nint Index;
        public nint Filter;
    }
}
