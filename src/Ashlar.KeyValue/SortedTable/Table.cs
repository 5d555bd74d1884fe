using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>
/// An immutable sorted table on disk. When it has become obsolete, the last reader that leaves deletes the file.
/// </summary>
sealed class Table : SharedResource
{
    readonly StoreFiles files;
    readonly IFile file;
    readonly BlockCache cache;
    readonly uint seed;
    bool obsolete;

    Table(StoreFiles files, IFile file, BlockCache cache, TableInfo info, TableFooter footer, uint seed)
    {
        this.files = files;
        this.file = file;
        this.cache = cache;
        this.seed = seed;
        Info = info;
        Footer = footer;
    }

    public TableInfo Info { get; }

    public TableFooter Footer { get; }

    public string Path => file.Path;

    /// <summary>Opens a table that the manifest lists.</summary>
    /// <exception cref="CorruptDataException">
    /// The file is missing, of another store or length, or its footer is damaged.
    /// </exception>
    public static Table Open(StoreFiles files, TableInfo info, BlockCache cache)
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
            return new Table(files, file, cache, info, footer, TableFooter.Seed(files.StoreId, info.Id));
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The manifest does not list the table any more, durably: its file goes with its last reader.</summary>
    public void MarkObsolete() => Volatile.Write(ref obsolete, true);

    public EntryIterator CreateIterator(bool fillCache = true) => new TableIterator(this, fillCache);

    /// <summary>Finds the newest entry of a key at or below a sequence.</summary>
    public bool TryFind(
        ReadOnlySpan<byte> key, ulong keyHash, ulong sequence, out EntryKind kind, out ReadOnlySpan<byte> value)
    {
        kind = EntryKind.None;
        value = default;
        if (!BloomFilter.MayContain(LoadFilter(), keyHash)) return false;
        var root = LoadBlock(Footer.Root, true);
        var position = root.Find(key, sequence);
        if (position == root.Count) return false;
        var index = LoadBlock(root.HandleAt(position), true);
        position = index.Find(key, sequence);
        if (position == index.Count) return false;
        var data = LoadBlock(index.HandleAt(position), true);
        position = data.Find(key, sequence);
        if (position == data.Count || !data.KeyAt(position).SequenceEqual(key)) return false;
        kind = data.KindAt(position);
        value = data.ValueAt(position);
        return true;
    }

    public Block LoadBlock(in BlockHandle handle, bool fillCache)
    {
        if (cache.Find(Info.Id, handle.Offset) is Block cached) return cached;
        var block = Block.Load(ReadBytes(handle), handle, seed, Path);
        if (fillCache) cache.Add(Info.Id, handle.Offset, block, block.SizeBytes);
        return block;
    }

    public byte[] LoadFilter()
    {
        var handle = Footer.Filter;
        if (cache.Find(Info.Id, handle.Offset) is byte[] cached) return cached;
        if (!BloomFilter.IsLengthValid(handle.SizeBytes))
            throw new CorruptDataException(Path, handle.Offset, $"a filter cannot have {handle.SizeBytes} bytes");
        var bytes = ReadBytes(handle);
        Block.CheckTrailer(bytes, handle, seed, Path);
        cache.Add(Info.Id, handle.Offset, bytes, bytes.Length);
        return bytes;
    }

    protected override void Free()
    {
        file.Dispose();
        if (Volatile.Read(ref obsolete)) files.TryDelete(Path);
    }

    byte[] ReadBytes(in BlockHandle handle)
    {
        // Handles are covered by checksums; a wrong one would still not make us allocate more than the file is long.
        if (handle.Offset < 0 || handle.SizeBytes <= Block.TrailerBytes || handle.Offset + handle.SizeBytes > Info.FileLength)
            throw new CorruptDataException(Path, Math.Max(0, handle.Offset), "a block lies outside the table");
        var bytes = GC.AllocateUninitializedArray<byte>(handle.SizeBytes);
        if (file.Read(bytes, handle.Offset) != bytes.Length)
            throw new CorruptDataException(Path, handle.Offset, "the table is cut off");
        return bytes;
    }
}
