using Ashlar.KeyValue.Blocks;
using Ashlar.KeyValue.Entries;
using Ashlar.KeyValue.SortedTable;
using Ashlar.Storage;

namespace Ashlar.KeyValue.Inspection;

/// <summary>Reads a table as far as anything of it holds. Three blocks are in memory at a time.</summary>
sealed class TableScan(IFile file, IScanSink sink)
{
    const int MaxBlockBytes = (64 << 20) + (1 << 20);

    readonly long length = file.LengthBytes;
    uint seed;
    string? lastKey;

    public void Run()
    {
        var bytes = new byte[TableFooter.SizeBytes];
        var footerOffset = Math.Max(0, length - TableFooter.SizeBytes);
        TableFooter footer;
        try
        {
            footer = TableFooter.Read(bytes.AsSpan(0, file.Read(bytes, footerOffset)), file.Path, footerOffset, out _);
        }
        catch (Exception damage) when (damage is CorruptDataException or UnsupportedFormatException)
        {
            sink.Damage(footerOffset, length, $"{damage.Message}; without its footer no block of a table can be found");
            return;
        }

        sink.Structure(
            footerOffset,
            $"footer: table {footer.TableId} of store {footer.StoreId}, {footer.EntryCount} entries, sequences {footer.MinSequence} to "
                + $"{footer.MaxSequence}");
        if (footer.FileLength != length)
            sink.Damage(0, length, $"the footer says {footer.FileLength} bytes, the file has {length}");
        seed = TableFooter.Seed(footer.StoreId, footer.TableId);
        Walk(footer.Root, "top index block", "every key of the table", (key, stored) =>
        {
            if (stored.Length != PartitionHandle.EncodedBytes)
            {
                sink.Damage(footer.Root.Offset, footer.Root.SizeBytes, "a partition has a handle of the wrong length", Keys(key));
                return;
            }

            var partition = PartitionHandle.Read(stored);
            Walk(partition.Index, "index block", Keys(key), (last, handle) =>
            {
                if (handle.Length != BlockHandle.EncodedBytes)
                    sink.Damage(partition.Index.Offset, 0, "a block has a handle of the wrong length", Keys(last));
                else WalkData(BlockHandle.Read(handle), Keys(last));
                lastKey = KeyText.Of(last);
            });
            TryLoad(partition.Filter, "filter", "none: reading is slower, or keys are missed", static (bytes, in handle, seed, path) =>
            {
                BlockCheck.RequireTrailer(bytes, handle, seed, path, BloomFilter.Encoding);
                return default;
            });
            lastKey = KeyText.Of(key);
        });
    }

    delegate void BlockEntry(ReadOnlySpan<byte> key, ReadOnlySpan<byte> stored);

    delegate Block BlockLoader(ReadOnlySpan<byte> bytes, in BlockHandle handle, uint seed, string path);

    string Keys(ReadOnlySpan<byte> through) =>
        lastKey is null ? $"up to {KeyText.Of(through)}" : $"behind {lastKey} up to {KeyText.Of(through)}";

    void Walk(in BlockHandle handle, string what, string keys, BlockEntry visit)
    {
        var buffer = new BlockBuffer(); // Owns the block.
        if (TryLoad(handle, what, keys, buffer.Load) is not { } block) return;
        for (var index = 0; index < block.Count; index++) visit(block.KeyAt(index), block.InlineAt(index));
        GC.KeepAlive(buffer);
    }

    void WalkData(in BlockHandle handle, string keys)
    {
        var buffer = new BlockBuffer();
        if (TryLoad(handle, "data block", keys, buffer.Load) is not { } block) return;
        Span<byte> scratch = stackalloc byte[ValuePlace.MaxStoredBytes];
        for (var index = 0; index < block.Count; index++)
        {
            var stored = block.StoredAt(index, scratch).ToArray();
            var offset = handle.Offset + block.OffsetOf(index);
            sink.Entry(new ScannedEntry(offset, block.SequenceAt(index), block.KindAt(index), block.KeyAt(index), stored));
        }

        GC.KeepAlive(buffer);
    }

    Block? TryLoad(in BlockHandle handle, string what, string keys, BlockLoader load)
    {
        if (handle.Offset < 0 || handle.SizeBytes <= Block.TrailerBytes || handle.SizeBytes > MaxBlockBytes
            || handle.Offset > length - handle.SizeBytes)
        {
            sink.Damage(Math.Max(0, handle.Offset), handle.SizeBytes, $"the {what} lies outside the table", keys);
            return null;
        }

        var loaded = new byte[handle.SizeBytes];
        try
        {
            if (file.Read(loaded, handle.Offset) != loaded.Length)
                throw new CorruptDataException(file.Path, handle.Offset, "the table is cut off");
            var block = load(loaded, handle, seed, file.Path);
            sink.Structure(handle.Offset, $"{what}, {handle.SizeBytes} bytes, crc {handle.Crc:x8}");
            return block;
        }
        catch (Exception damage) when (damage is CorruptDataException or UnsupportedFormatException)
        {
            sink.Damage(handle.Offset, handle.SizeBytes, $"{what}: {(damage as CorruptDataException)?.Problem ?? damage.Message}", keys);
            return null;
        }
    }
}
