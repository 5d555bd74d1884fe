using System.Text;
using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Volumes;

/// <summary>Applies streams of snapshots.</summary>
/// <remarks>
/// <para>Crash order of a new volume: note, durably, under which name it is made, which is nobody's; create it so; write; flush; take the
/// snapshot and note of what it is; give the volume its own name; forget the first note. A volume of a noted name is deleted when the pool
/// is opened, so before it has its own name it is not there.</para>
/// <para>Crash order of one that goes on: note, durably, the snapshot at which the stream begins and the name of the one to come; write;
/// flush; take that snapshot; note of what it is, and forget the first note, in one batch. While the first note is there the volume goes
/// back to where the stream began when the pool is opened, and what has the noted names is deleted.</para>
/// </remarks>
sealed class SnapshotImporter(StoragePool pool)
{
    /// <summary>Beside a snapshot: the identity of the one that it was imported of (16 bytes).</summary>
    public const string SourceNote = "source";

    /// <summary>Beside no volume: one of the name that is made of this identity is not whole. Empty.</summary>
    const string CreatingNote = "import-new";

    /// <summary>Beside a volume: the snapshot that it goes back to (16), the name of the one to come (the rest).</summary>
    const string ApplyingNote = "import";

    const string NamePrefix = "importing-";

    const int StepBytes = 256 << 10;

    static readonly TimeSpan RestoreLook = TimeSpan.FromMilliseconds(20);

    /// <summary>Whether a volume of this name is being made of a stream, or is what is left of one.</summary>
    public static bool IsPartial(StoragePool pool, string name) =>
        name.StartsWith(NamePrefix, StringComparison.Ordinal)
        && Guid.TryParseExact(name.AsSpan(NamePrefix.Length), "N", out var id)
        && pool.ReadNote(id, CreatingNote) is not null;

    public async Task<SnapshotInfo> RunAsync(
        string volume, Stream source, SnapshotImportOptions options, Action<long>? progress, CancellationToken cancellationToken)
    {
        using var reader = new SnapshotStreamReader(source, Math.Min(options.MaxSizeBytes, StoragePool.MaxVolumeBytes));
        var header = await reader.ReadHeaderAsync(cancellationToken);
        return pool.FindVolume(volume) is { } present
            ? await ApplyAsync(present, header, reader, options, progress, cancellationToken)
            : await CreateAsync(volume, header, reader, progress, cancellationToken);
    }

    public async Task<IReadOnlyList<string>> RecoverAsync()
    {
        var taken = new List<string>();
        foreach (var (id, _) in pool.ListNotes(CreatingNote))
        {
            if (pool.FindVolume(NameOf(id)) is { } partial)
                taken.Add($"volume '{partial.Name}' was not imported to its end, and is deleted");
            await DeletePartialAsync(id);
        }

        foreach (var (id, content) in pool.ListNotes(ApplyingNote))
        {
            if (pool.ListVolumes().FirstOrDefault(each => each.Id == id) is not { } volume || content.Length <= 16) continue;
            // What a crash met going back is on its way already; of two at once the slower would overwrite what comes after the other.
            while (pool.FindVolume(volume.Name) is { IsRestoring: true }) await Task.Delay(RestoreLook);
            await TakeBackAsync(volume, new Guid(content.AsSpan(0, 16), bigEndian: true), Encoding.ASCII.GetString(content.AsSpan(16)));
            taken.Add($"volume '{volume.Name}' is as it was before an import that did not come to its end");
        }

        await ForgetOrphansAsync();
        return taken;
    }

    // Whoever deletes a volume or snapshot need not know what is noted beside it.
    async Task ForgetOrphansAsync()
    {
        if (pool.ListTrash().Count > 0) return; // What comes back from there has its notes.
        var volumes = pool.ListVolumes();
        var known = volumes.SelectMany(volume => pool.ListSnapshots(volume.Name).Select(each => each.Id).Append(volume.Id)).ToHashSet();
        var orphans = pool.ListNotes().Where(note => !known.Contains(note.Owner)).ToArray();
        if (orphans.Length > 0) await pool.WriteNotesAsync([.. orphans.Select(note => (note.Owner, note.Kind, (byte[]?)null))]);
    }

    async Task<SnapshotInfo> CreateAsync(
        string name, SnapshotStreamHeader header, SnapshotStreamReader reader, Action<long>? progress, CancellationToken cancellationToken)
    {
        if (header.ParentId is not null)
        {
            throw SnapshotStreamFormat.Problem(
                SnapshotStreamProblem.WrongParent,
                $"it begins at snapshot '{header.ParentName}', and there is no volume '{name}' that has it");
        }

        var id = pool.Parts.Options.Entropy.NextGuid();
        await pool.WriteNoteAsync(id, CreatingNote, []);
        try
        {
            var volume = await pool.CreateVolumeAsync(
                NameOf(id), new VolumeOptions { SizeBytes = header.SizeBytes, BlockSizeBytes = header.BlockSizeBytes });
            await WriteAsync(volume, reader, progress, cancellationToken);
            var taken = await pool.TakeSnapshotAsync(volume.Name, header.Name);
            await pool.WriteNoteAsync(taken.Id, SourceNote, header.SnapshotId.ToByteArray(bigEndian: true));
            await pool.RenameVolumeAsync(volume.Name, name);
            await pool.WriteNoteAsync(id, CreatingNote, null);
            return pool.FindSnapshot(name, header.Name) ?? taken;
        }
        catch (DeviceFullException e)
        {
            await TryAsync(() => DeletePartialAsync(id));
            // By the name that it was to have; the other is nobody's.
            throw new DeviceFullException($"{pool.Name}/{name}", $"pool {pool.Name} has no room for what the stream holds", e);
        }
        catch
        {
            await TryAsync(() => DeletePartialAsync(id));
            throw;
        }
    }

    async Task<SnapshotInfo> ApplyAsync(
        VolumeInfo volume,
        SnapshotStreamHeader header,
        SnapshotStreamReader reader,
        SnapshotImportOptions options,
        Action<long>? progress,
        CancellationToken cancellationToken)
    {
        var parent = RequireParent(volume, header);
        if (pool.FindSnapshot(volume.Name, header.Name) is not null)
            throw new SnapshotException(volume.Name, header.Name, SnapshotProblem.NameTaken, "the name is taken");
        var note = (byte[])[.. parent.Id.ToByteArray(bigEndian: true), .. Encoding.ASCII.GetBytes(header.Name)];
        if (!options.MayRevert) await RequireUnchangedAsync(volume, parent, note);
        await pool.WriteNoteAsync(volume.Id, ApplyingNote, note);
        try
        {
            if (options.MayRevert) await pool.RestoreSnapshotAsync(volume.Name, parent.Name, cancellationToken);
            if (header.SizeBytes != parent.SizeBytes) await pool.ResizeVolumeAsync(volume.Name, header.SizeBytes, allowShrink: true);
            await WriteAsync(volume, reader, progress, cancellationToken);
            var taken = await pool.TakeSnapshotAsync(volume.Name, header.Name);
            await pool.WriteNotesAsync(
                [(taken.Id, SourceNote, header.SnapshotId.ToByteArray(bigEndian: true)), (volume.Id, ApplyingNote, null)]);
            return taken;
        }
        catch
        {
            await TryAsync(() => TakeBackAsync(volume, parent.Id, header.Name));
            throw;
        }
    }

    SnapshotInfo RequireParent(VolumeInfo volume, SnapshotStreamHeader header)
    {
        var snapshots = pool.ListSnapshots(volume.Name).Where(each => !each.IsDeleted).ToArray();
        if (snapshots.FirstOrDefault(each => pool.IdentityOf(each) == header.SnapshotId) is { } same)
        {
            throw SnapshotStreamFormat.Problem(
                SnapshotStreamProblem.AlreadyThere, $"volume '{volume.Name}' has its snapshot already, as '{same.Name}'");
        }

        var newest = snapshots.MaxBy(each => each.Generation);
        if (header.ParentId is null)
        {
            throw SnapshotStreamFormat.Problem(
                SnapshotStreamProblem.WrongParent,
                $"it holds all of a volume, and makes a new one: there is a volume '{volume.Name}' already");
        }

        if (newest is null || pool.IdentityOf(newest) != header.ParentId)
        {
            throw SnapshotStreamFormat.Problem(
                SnapshotStreamProblem.WrongParent,
                $"it begins at snapshot '{header.ParentName}' ({header.ParentId}), and volume '{volume.Name}' has "
                + (newest is null ? "no snapshot" : $"'{newest.Name}' ({pool.IdentityOf(newest)}) as its newest"));
        }

        if (volume.BlockSizeBytes != header.BlockSizeBytes)
        {
            throw SnapshotStreamFormat.Problem(
                SnapshotStreamProblem.WrongParent,
                $"it has blocks of {header.BlockSizeBytes} bytes, and volume '{volume.Name}' of {volume.BlockSizeBytes}");
        }

        return newest;
    }

    // By a snapshot that nobody sees for long: the comparison is of snapshots.
    async Task RequireUnchangedAsync(VolumeInfo volume, SnapshotInfo parent, byte[] note)
    {
        var probe = ProbeOf(parent.Id);
        await pool.WriteNoteAsync(volume.Id, ApplyingNote, [.. note.AsSpan(0, 16), .. Encoding.ASCII.GetBytes(probe)]);
        var now = await pool.TakeSnapshotAsync(volume.Name, probe);
        try
        {
            if (now.SizeBytes == parent.SizeBytes && await AreEqualAsync(volume, parent.Name, probe)) return;
        }
        finally
        {
            await pool.DeleteSnapshotsAsync(volume.Name, [probe]);
            // Nothing was changed, and nothing is to be taken back.
            await pool.WriteNoteAsync(volume.Id, ApplyingNote, null);
        }

        throw SnapshotStreamFormat.Problem(
            SnapshotStreamProblem.VolumeChanged,
            $"volume '{volume.Name}' was written since its snapshot '{parent.Name}', at which it begins");
    }

    // What was written may be what was there: a volume that was taken back to a snapshot has places of its own for it.
    async Task<bool> AreEqualAsync(VolumeInfo volume, string one, string other)
    {
        var (first, second) = (Open(one), Open(other));
        var (left, right) = (new byte[StepBytes], new byte[StepBytes]);
        foreach (var extent in pool.CompareSnapshots(volume.Name, one, other))
        {
            for (var offset = extent.OffsetBytes; offset < extent.OffsetBytes + extent.LengthBytes; offset += StepBytes)
            {
                var count = (int)Math.Min(StepBytes, extent.OffsetBytes + extent.LengthBytes - offset);
                await first.ReadAsync(new Lba(offset / volume.BlockSizeBytes), left.AsMemory(0, count));
                await second.ReadAsync(new Lba(offset / volume.BlockSizeBytes), right.AsMemory(0, count));
                if (!left.AsSpan(0, count).SequenceEqual(right.AsSpan(0, count))) return false;
            }
        }

        return true;

        IBlockDevice Open(string snapshot) =>
            pool.OpenSnapshot(volume.Name, snapshot) ?? throw new VolumeDeletedException($"{volume.Name}@{snapshot}");
    }

    async Task WriteAsync(VolumeInfo volume, SnapshotStreamReader reader, Action<long>? progress, CancellationToken cancellationToken)
    {
        var device = pool.OpenVolume(volume.Name) ?? throw new VolumeDeletedException(volume.Name);
        while (await reader.ReadRecordAsync(cancellationToken) is { } record)
        {
            var (start, count) = (new Lba(record.OffsetBytes / volume.BlockSizeBytes), record.LengthBytes / volume.BlockSizeBytes);
            if (record.IsZeros) await device.WriteZeroesAsync(start, count, ZeroOptions.None, cancellationToken);
            else await device.WriteAsync(start, record.Data, WriteOptions.None, cancellationToken);
            progress?.Invoke(record.OffsetBytes + record.LengthBytes);
        }

        await device.FlushAsync(cancellationToken);
    }

    async Task DeletePartialAsync(Guid id)
    {
        if (pool.FindVolume(NameOf(id)) is not null) await pool.DeleteVolumeAsync(NameOf(id), withSnapshots: true);
        await pool.WriteNoteAsync(id, CreatingNote, null);
    }

    async Task TakeBackAsync(VolumeInfo volume, Guid parentId, string name)
    {
        if (pool.ListSnapshots(volume.Name).FirstOrDefault(each => each.Id == parentId) is not { } parent) return;
        if (pool.FindSnapshot(volume.Name, name) is { } taken && taken.Generation > parent.Generation)
            await pool.DeleteSnapshotsAsync(volume.Name, [name]);
        // A probe is taken before anything is changed; then there is nothing to go back from, but what clients wrote.
        if (name != ProbeOf(parentId)) await pool.RestoreSnapshotAsync(volume.Name, parent.Name);
        await pool.WriteNoteAsync(volume.Id, ApplyingNote, null);
    }

    static async Task TryAsync(Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (Exception e) when (e is AshlarException or ObjectDisposedException)
        {
            // What failed first is told; what cannot be taken back now is when the pool is opened.
        }
    }

    static string NameOf(Guid id) => $"{NamePrefix}{id:N}";

    static string ProbeOf(Guid parent) => $"import-probe-{parent:N}";
}
