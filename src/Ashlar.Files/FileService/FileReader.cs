namespace Ashlar.Files;

/// <summary>A range of a file, as the file was when it was opened: files do not change.</summary>
public sealed class FileReader
{
    readonly IChunkManager chunks;
    readonly FileTraffic traffic;
    readonly CustomerId customer;
    readonly StoredFile file;

    internal FileReader(IChunkManager chunks, FileTraffic traffic, CustomerId customer, StoredFile file, long offset, long length)
    {
        (this.chunks, this.traffic, this.customer, this.file) = (chunks, traffic, customer, file);
        OffsetBytes = Math.Min(offset, file.Entry.SizeBytes);
        LengthBytes = Math.Min(length, file.Entry.SizeBytes - OffsetBytes);
    }

    /// <summary>The file.</summary>
    public NamespaceEntry Entry => file.Entry;

    /// <summary>What is kept beside its content.</summary>
    public FileProperties Properties => file.Properties;

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
        }
        else
        {
            await chunks.CopyToAsync(
                customer, file.Blocks, OffsetBytes - file.BlocksOffsetBytes, LengthBytes, destination, cancellationToken);
        }

        traffic.AddRead(LengthBytes);
    }
}
