using System.Diagnostics.CodeAnalysis;
using Ashlar.Storage;

namespace Ashlar.Files;

// What a node says of its blocks: ranges, all of one, a list. Nothing that was not compared with its checksum.
public sealed partial class DirectoryNode
{
    /// <inheritdoc />
    public ValueTask<BlockPart> ReadAsync(CustomerBlock block, int offsetBytes, Memory<byte> destination, CancellationToken cancellation)
    {
        if (offsetBytes < 0 || offsetBytes % BlockGeometry.UnitBytes != 0)
            throw Error(NodeErrorKind.InvalidRequest, $"reads begin at multiples of {BlockGeometry.UnitBytes} bytes, not at {offsetBytes}");
        return RunAsync(() => Read(block, offsetBytes, destination.Span), readLatency, cancellation);
    }

    /// <inheritdoc />
    public ValueTask<StoredBlock?> FindAsync(CustomerBlock block, CancellationToken cancellation) =>
        RunAsync(() => TryOpen(block, out var file, out var found) ? Close(file, found) : null, null, cancellation);

    /// <inheritdoc />
    public ValueTask<StoredBlock> VerifyAsync(CustomerBlock block, CancellationToken cancellation) =>
        RunAsync(() => Verify(block), null, cancellation);

    /// <inheritdoc />
    public ValueTask<IReadOnlyList<InventoryEntry>> ListAsync(CustomerBlock? after, int limit, CancellationToken cancellation)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(limit, 1);
        return RunAsync<IReadOnlyList<InventoryEntry>>(() => List(after, limit), null, cancellation);
    }

    BlockPart Read(CustomerBlock id, int offsetBytes, Span<byte> destination)
    {
        using var file = Open(id, out var block);
        var length = Math.Min(destination.Length, block.Digest.LengthBytes - offsetBytes);
        if (length <= 0) return new BlockPart(0, block);
        if (length % BlockGeometry.UnitBytes != 0 && offsetBytes + length != block.Digest.LengthBytes)
            throw Error(NodeErrorKind.InvalidRequest, $"reads are of whole units of {BlockGeometry.UnitBytes} bytes, not of {length}");
        ReadVerified(file, block, offsetBytes, destination[..length]);
        return new BlockPart(length, block);
    }

    StoredBlock Verify(CustomerBlock id)
    {
        RequireTrusted();
        using var file = Open(id, out _);

        // What the cache has and the medium has not is written now. What the cache holds since a sync that failed counts as written and is
        // dropped: then the medium has something else, and the content differs.
        Syncing(() =>
        {
            file.Sync();
            syncs.Sync(directory.LeafOf(id), directory.Temp);
        });
        file.DropCached(0, file.LengthBytes);
        var block = Trailer(file, id);
        using var hasher = new BlockHasher();
        var buffer = new byte[Math.Min(VerifyBytes, block.Digest.LengthBytes)];
        for (var done = 0; done < block.Digest.LengthBytes;)
        {
            var part = buffer.AsSpan(0, Math.Min(buffer.Length, block.Digest.LengthBytes - done));
            ReadVerified(file, block, done, part);
            hasher.Append(part);
            done += part.Length;
        }

        var found = hasher.Finish();
        return found.Hash == id.Name.Hash ? block : throw Error(NodeErrorKind.Damaged, $"{id} holds {found.Hash}");
    }

    List<InventoryEntry> List(CustomerBlock? after, int limit)
    {
        RequireInPlace();
        var first = after is { } last ? directory.LeafOf(last) : null;
        var entries = new List<InventoryEntry>();
        foreach (var leaf in directory.Leaves)
        {
            if (first is not null && string.CompareOrdinal(leaf, first) < 0) continue;
            foreach (var id in directory.BlocksIn(leaf))
            {
                if (after is { } seen && id <= seen) continue;
                try
                {
                    if (TryOpen(id, out var file, out var block)) entries.Add(new InventoryEntry(id, Close(file, block), null));
                }
                catch (StorageNodeException e) when (e.Kind != NodeErrorKind.Unavailable)
                {
                    entries.Add(new InventoryEntry(id, null, e.Message));
                }

                if (entries.Count == limit) return entries;
            }
        }

        return entries;
    }

    void ReadVerified(IFile file, StoredBlock block, int offsetBytes, Span<byte> destination)
    {
        if (file.Read(destination, offsetBytes) != destination.Length)
            throw Error(NodeErrorKind.Damaged, $"the file of {block.Id} became shorter while it was read");
        if (block.Digest.FindDamage(destination, offsetBytes) is { } at)
            throw Error(NodeErrorKind.Damaged, $"the checksum of the 64 KiB of {block.Id} at {at} does not match");
    }

    IFile Open(CustomerBlock id, out StoredBlock block) => TryOpen(id, out var file, out var found)
        ? (block = found, File: file).File
        : throw Error(NodeErrorKind.NotFound, $"there is no block {id}");

    bool TryOpen(CustomerBlock id, [NotNullWhen(true)] out IFile? file, [NotNullWhen(true)] out StoredBlock? block)
    {
        (file, block) = (null, null);
        try
        {
            file = files.Open(directory.FileOf(id), FileOpenMode.ReadOnly);
        }
        catch (StorageException e) when (e.Kind == StorageErrorKind.NotFound)
        {
            RequireInPlace(); // Invariant: a disk that is not there does not say that a block is not.
            return false;
        }

        try
        {
            block = Trailer(file, id);
            return true;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    StoredBlock Trailer(IFile file, CustomerBlock id)
    {
        try
        {
            return BlockTrailer.Read(file, id);
        }
        catch (CorruptDataException e)
        {
            throw Error(NodeErrorKind.Damaged, e.Message, e);
        }
        catch (UnsupportedFormatException e)
        {
            throw Error(NodeErrorKind.Unsupported, e.Message, e);
        }
    }

    static StoredBlock Close(IFile file, StoredBlock block)
    {
        file.Dispose();
        return block;
    }
}
