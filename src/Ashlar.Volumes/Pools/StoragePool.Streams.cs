namespace Ashlar.Volumes;

public sealed partial class StoragePool
{
    SnapshotImporter Importer => new(this);

    /// <summary>
    /// Writes a snapshot as a stream: all of it, or what differs from an older one. As fast as the target takes it, with a MiB of memory.
    /// </summary>
    /// <param name="volume">The volume.</param>
    /// <param name="snapshot">The snapshot.</param>
    /// <param name="since">The older one, at which the stream begins; null for all.</param>
    /// <param name="target">Gets the stream.</param>
    /// <param name="progress">Gets how many bytes of the volume have been gone through.</param>
    /// <param name="cancellationToken">Stops it; what was written is no whole stream.</param>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    /// <exception cref="SnapshotException">There is no such snapshot, or the older one is not older.</exception>
    public async Task ExportSnapshotAsync(
        string volume,
        string snapshot,
        string? since,
        Stream target,
        Action<long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(target);
        var header = DescribeStream(volume, snapshot, since);
        var extents = CompareSnapshots(volume, since, snapshot);
        var source = OpenSnapshot(volume, snapshot)
            ?? throw new SnapshotException(volume, snapshot, SnapshotProblem.Unknown, "there is no such snapshot");
        using var writer = new SnapshotStreamWriter(target);
        await writer.WriteHeaderAsync(header, cancellationToken);
        var buffer = new byte[SnapshotStreamFormat.MaxDataBytes];
        foreach (var extent in extents)
        {
            var end = extent.OffsetBytes + extent.LengthBytes;
            if (extent.IsZero) await writer.WriteZerosAsync(extent.OffsetBytes, extent.LengthBytes, cancellationToken);
            for (var offset = extent.OffsetBytes; offset < end && !extent.IsZero;)
            {
                var piece = buffer.AsMemory(0, (int)Math.Min(end - offset, buffer.Length));
                await source.ReadAsync(new(offset / header.BlockSizeBytes), piece, cancellationToken);
                await writer.WriteDataAsync(offset, piece, cancellationToken);
                offset += piece.Length;
                progress?.Invoke(offset);
            }
        }

        await writer.WriteEndAsync(cancellationToken);
    }

    /// <summary>What the stream of a snapshot says of itself.</summary>
    /// <exception cref="VolumeNameException">There is no such volume.</exception>
    /// <exception cref="SnapshotException">There is no such snapshot, or the older one is not older.</exception>
    public SnapshotStreamHeader DescribeStream(string volume, string snapshot, string? since)
    {
        var (wanted, parent) = (RequireSnapshot(volume, snapshot), since is null ? null : RequireSnapshot(volume, since));
        if (parent is not null && parent.Generation >= wanted.Generation)
            throw new SnapshotException(volume, since, SnapshotProblem.Unknown, $"it is not older than '{snapshot}'");
        return new(
            wanted.VolumeId,
            IdentityOf(wanted),
            parent is null ? null : IdentityOf(parent),
            wanted.Name,
            since ?? "",
            wanted.CreatedAt,
            wanted.SizeBytes,
            wanted.BlockSizeBytes);
    }

    /// <summary>
    /// Applies a stream: one that holds all makes a new volume, one that begins at a snapshot goes on from that, which must be the newest
    /// of the volume; then takes the snapshot. All of it, or nothing, also over a crash; durable when the call returns.
    /// </summary>
    /// <param name="volume">The volume. Nobody else may use it meanwhile, nor take snapshots of it.</param>
    /// <param name="source">The stream.</param>
    /// <param name="options">What is allowed.</param>
    /// <param name="progress">Gets how many bytes of the volume have been gone through.</param>
    /// <param name="cancellationToken">Stops it; nothing of it stays.</param>
    /// <exception cref="SnapshotStreamException">The stream is not whole, or does not fit the volume.</exception>
    /// <exception cref="SnapshotException">The volume has a snapshot of that name.</exception>
    /// <exception cref="VolumeNameException">The name is not valid, or was taken meanwhile.</exception>
    /// <exception cref="Blocks.DeviceFullException">There is no room for it.</exception>
    public Task<SnapshotInfo> ImportSnapshotAsync(
        string volume,
        Stream source,
        SnapshotImportOptions? options = null,
        Action<long>? progress = null,
        CancellationToken cancellationToken = default)
    {
        ThrowIfClosed();
        Failure.ThrowIfLatched();
        VolumeName.Check(volume);
        ArgumentNullException.ThrowIfNull(source);
        return Importer.RunAsync(volume, source, options ?? new(), progress, cancellationToken);
    }

    /// <summary>
    /// Takes back imports that a crash, or a failure, interrupted, and forgets notes of what is gone. Before anybody uses the volumes.
    /// </summary>
    /// <returns>What was taken back, a sentence each.</returns>
    public Task<IReadOnlyList<string>> RecoverImportsAsync()
    {
        ThrowIfClosed();
        return Importer.RecoverAsync();
    }

    /// <summary>Identity of what a snapshot holds: that of the snapshot that it was imported of, or its own.</summary>
    internal Guid IdentityOf(SnapshotInfo snapshot) =>
        ReadNote(snapshot.Id, SnapshotImporter.SourceNote) is { Length: 16 } id ? new Guid(id, bigEndian: true) : snapshot.Id;

    SnapshotInfo RequireSnapshot(string volume, string snapshot)
    {
        var device = Catalogue.Require(volume);
        return Describe(device, Catalogue.RequireSnapshot(device, snapshot));
    }
}
