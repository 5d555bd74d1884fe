using System.Buffers.Binary;
using Ashlar.Storage;

namespace Ashlar.KeyValue;

/// <summary>Reads a table as far as anything of it holds. Three blocks are in memory at a time.</summary>
sealed class TableScan(IFile file, IScanSink sink)
{
    const int MostBlockBytes = (64 << 20) + (1 << 20);

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
            $"footer: table {footer.TableId} of store {footer.StoreId}, {footer.EntryCount} entries, sequences {footer.MinSequence} to {footer.MaxSequence}");
        if (footer.FileLength != length)
            sink.Damage(0, length, $"the footer says {footer.FileLength} bytes, the file has {length}");
        seed = TableFooter.Seed(footer.StoreId, footer.TableId);
        Walk(footer.Root, "top index block", "every key of the table", (_, key, stored) =>
        {
            if (stored.Length != PartitionHandle.EncodedBytes)
            {
                sink.Damage(footer.Root.Offset, footer.Root.SizeBytes, "a partition has a handle of the wrong length", Keys(key));
                return;
            }

            var partition = PartitionHandle.Read(stored);
            Walk(partition.Index, "index block", Keys(key), (_, last, handle) =>
            {
                if (handle.Length != BlockHandle.EncodedBytes) sink.Damage(partition.Index.Offset, 0, "a block has a handle of the wrong length", Keys(last));
                else WalkData(BlockHandle.Read(handle), Keys(last));
                lastKey = KeyText.Of(last);
            });
            TryLoad(partition.Filter, "filter", "none: reading is slower, or keys are missed", checksEntries: false, out byte[] _);
            lastKey = KeyText.Of(key);
        });
    }

    delegate void BlockEntry(long offset, ReadOnlySpan<byte> key, ReadOnlySpan<byte> stored);

    string Keys(ReadOnlySpan<byte> through) => lastKey is null ? $"up to {KeyText.Of(through)}" : $"behind {lastKey} up to {KeyText.Of(through)}";

    void Walk(in BlockHandle handle, string what, string keys, BlockEntry visit)
    {
        if (!TryLoad(handle, what, keys, checksEntries: true, out var bytes)) return;
        var offset = 0;
        for (var count = CountOf(bytes); count > 0; count--)
        {
            var (key, stored) = Split(bytes, offset);
            visit(handle.Offset + offset, key, stored);
            offset += Block.EntryHeaderBytes + key.Length + stored.Length;
        }
    }

    void WalkData(in BlockHandle handle, string keys)
    {
        if (!TryLoad(handle, "data block", keys, checksEntries: true, out var bytes)) return;
        var offset = 0;
        for (var count = CountOf(bytes); count > 0; count--)
        {
            var (key, stored) = Split(bytes, offset);
            var sequence = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(offset + 8));
            sink.Entry(new ScannedEntry(handle.Offset + offset, sequence, (EntryKind)bytes[offset], key, stored));
            offset += Block.EntryHeaderBytes + key.Length + stored.Length;
        }
    }

    static int CountOf(byte[] bytes) => BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(bytes.Length - Block.TrailerBytes - 4));

    static (byte[] Key, byte[] Stored) Split(byte[] bytes, int offset)
    {
        var keyLength = BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(offset + 2));
        var storedLength = BinaryPrimitives.ReadInt32LittleEndian(bytes.AsSpan(offset + 4));
        var key = bytes.AsSpan(offset + Block.EntryHeaderBytes, keyLength);
        return (key.ToArray(), bytes.AsSpan(offset + Block.EntryHeaderBytes + keyLength, storedLength).ToArray());
    }

    bool TryLoad(in BlockHandle handle, string what, string keys, bool checksEntries, out byte[] bytes)
    {
        bytes = [];
        if (handle.Offset < 0 || handle.SizeBytes <= Block.TrailerBytes || handle.SizeBytes > MostBlockBytes
            || handle.Offset > length - handle.SizeBytes)
        {
            sink.Damage(Math.Max(0, handle.Offset), handle.SizeBytes, $"the {what} lies outside the table", keys);
            return false;
        }

        var loaded = new byte[handle.SizeBytes];
        try
        {
            if (file.Read(loaded, handle.Offset) != loaded.Length) throw new CorruptDataException(file.Path, handle.Offset, "the table is cut off");
            if (checksEntries) Block.Check(loaded, handle, seed, file.Path);
            else Block.CheckTrailer(loaded, handle, seed, file.Path);
        }
        catch (Exception damage) when (damage is CorruptDataException or UnsupportedFormatException)
        {
            sink.Damage(handle.Offset, handle.SizeBytes, $"{what}: {(damage as CorruptDataException)?.Problem ?? damage.Message}", keys);
            return false;
        }

        bytes = loaded;
        sink.Structure(handle.Offset, $"{what}, {handle.SizeBytes} bytes, crc {handle.Crc:x8}");
        return true;
    }
}
