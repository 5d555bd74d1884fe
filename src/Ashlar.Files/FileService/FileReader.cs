using System.Buffers;

namespace Ashlar.Files;

/// <summary>A range of a file, as the file was when it was opened: files do not change.</summary>
public sealed class FileReader
{
    readonly IChunkManager chunks;
    readonly CustomerId customer;
    readonly StoredFile file;
    readonly int bufferBytes;

    internal FileReader(IChunkManager chunks, CustomerId customer, StoredFile file, long offset, long length, int bufferBytes)
    {
        (this.chunks, this.customer, this.file, this.bufferBytes) = (chunks, customer, file, bufferBytes);
        OffsetBytes = Math.Min(offset, file.Entry.SizeBytes);
        LengthBytes = Math.Min(length, file.Entry.SizeBytes - OffsetBytes);
    }

    /// <summary>The file.</summary>
    public NamespaceEntry Entry => file.Entry;

    /// <summary>Where the range begins.</summary>
    public long OffsetBytes { get; }

    /// <summary>How long it is.</summary>
    public long LengthBytes { get; }

    /// <summary>Writes the range to a stream, in constant memory.</summary>
    public async Task CopyToAsync(Stream destination, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(destination);
        if (file.Inline is { } content)
        {
            await destination.WriteAsync(content.Slice((int)OffsetBytes, (int)LengthBytes), cancellationToken);
            return;
        }

        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Max(1, Math.Min(bufferBytes, LengthBytes)));
        var start = file.BlocksOffsetBytes;
        foreach (var block in file.Blocks)
        {
            var from = (int)Math.Max(0, OffsetBytes - start);
            var end = (int)Math.Min(block.LengthBytes, OffsetBytes + LengthBytes - start);
            while (from < end)
            {
                var part = buffer.AsMemory(0, Math.Min(buffer.Length, end - from));
                await chunks.ReadAsync(customer, block, from, part, cancellationToken);
                await destination.WriteAsync(part, cancellationToken);
                from += part.Length;
            }

            start += block.LengthBytes;
        }

        // Only here: after a failure somebody may still write to it.
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
