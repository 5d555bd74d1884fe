using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
using Ashlar.Storage;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>Devices that are to become a pool's: whether they may, and how they are made ready.</summary>
/// <param name="files">The disk.</param>
/// <param name="dataDirectory">What is in there is taken.</param>
/// <param name="host">Who this machine is.</param>
sealed class NewDevices(IFileSystem files, string dataDirectory, PoolHost host)
{
    /// <summary>Checks what was asked for, without changing anything.</summary>
    /// <param name="paths">Where the devices are, or are to be.</param>
    /// <param name="sizeBytes">What a file that is created is to hold; null where none is.</param>
    /// <param name="force">Whether what is on them may be lost.</param>
    /// <param name="taken">Devices of other pools, by <see cref="Identify"/>, and whose they are.</param>
    /// <param name="ofSet">A RAID set whose devices may be taken as they are.</param>
    /// <exception cref="ApiException">One of them cannot be taken.</exception>
    public async Task<IReadOnlyList<RememberedDevice>> CheckAsync(
        IReadOnlyList<string> paths, long? sizeBytes, bool force, IReadOnlyDictionary<string, string> taken, Guid? ofSet = null)
    {
        var (devices, seen) = (new List<RememberedDevice>(), new HashSet<string>(StringComparer.Ordinal));
        foreach (var path in paths)
        {
            CheckPath(path);
            var isThere = files.FileExists(path);
            var resolved = Resolve(path, isThere);
            var identity = isThere ? Identify(path) : resolved;
            if (!seen.Add(identity)) throw Unusable(path, "it is named twice");
            if (taken.TryGetValue(identity, out var owner)) throw Unusable(path, $"it is a device of pool {owner}");
            if (FileSystemExtensions.OverlapAsWritten(resolved, dataDirectory))
                throw Unusable(path, $"it is in the data directory of the server, {dataDirectory}");
            if (isThere) await CheckContentAsync(path, force, ofSet);
            else if (files.DirectoryExists(path)) throw Unusable(path, "it is a directory");
            else if (sizeBytes is null)
                throw new ApiException(ProblemKind.InvalidRequest, $"there is no {path}; to create it as a file, say of which size");
            devices.Add(new(path, IsOwn: !isThere));
        }
        return devices;
    }

    /// <summary>Opens a device that was checked, after it was created or, where it holds anything, was made to look empty.</summary>
    /// <param name="device">It.</param>
    /// <param name="lengthBytes">Its length where it is created.</param>
    /// <param name="force">Whether what is on it may be lost.</param>
    /// <param name="ofSet">A RAID set whose devices are taken as they are.</param>
    /// <param name="isReserved">Whether a file that is created takes all of its space at once.</param>
    /// <exception cref="ApiException">It cannot be taken after all.</exception>
    public async Task<PoolDevice> PrepareAsync(
        RememberedDevice device, long lengthBytes, bool force, Guid? ofSet = null, bool isReserved = false)
    {
        try
        {
            if (device.IsOwn && !files.FileExists(device.Path)) return await CreateAsync(device.Path, lengthBytes, isReserved);
            var opened = PoolDevice.Open(files, device.Path);
            try
            {
                if (ofSet is { } set && await IsOfSetAsync(opened.Device, set)) return opened with { IsReturning = true };
                await CheckContentAsync(opened.Device, force); // Nobody else can write to it any more.
                if (force) await DeviceSignatures.EraseAsync(opened.Device);
                return opened;
            }
            catch
            {
                await opened.DisposeAsync();
                throw;
            }
        }
        catch (AshlarException e) when (IsOfDevice(e))
        {
            throw Unusable(device.Path, e.Message);
        }
    }

    /// <summary>Makes a device look as if it had never been of a RAID set, if it still is what it was there.</summary>
    /// <param name="device">It, open.</param>
    /// <param name="set">The set.</param>
    /// <param name="member">What it was in there; null for anything.</param>
    /// <returns>Whether it was that, and is not any more.</returns>
    public static async Task<bool> TryEraseMemberAsync(FileDevice device, Guid set, Guid? member)
    {
        try
        {
            if (await RaidArray.IdentifyAsync(device) is not { } says || says.SetId != set) return false;
            if (member is { } id && says.MemberId != id) return false;
            await DeviceSignatures.EraseAsync(device);
            return true;
        }
        catch (Exception e) when (e is AshlarException or ObjectDisposedException)
        {
            return false; // It is given up for that, as often as not.
        }
    }

    /// <summary>
    /// What is the same for all names of a device: links, mounts, nodes of a disk. Of one that is not there its path without links.
    /// </summary>
    public string Identify(string path)
    {
        try
        {
            return files.FileExists(path) ? files.GetFileIdentity(path) : Resolve(path, isThere: false);
        }
        catch (StorageException e)
        {
            throw Unusable(path, e.Message);
        }
    }

    /// <summary>A path without links, also of what is not there yet.</summary>
    public string Resolve(string path, bool isThere)
    {
        try
        {
            if (isThere) return files.ResolveLinks(path);
            var parent = Path.GetDirectoryName(path)!;
            if (!files.DirectoryExists(parent)) throw Unusable(path, $"there is no directory {parent}");
            return $"{files.ResolveLinks(parent).TrimEnd('/')}/{Path.GetFileName(path)}";
        }
        catch (StorageException e)
        {
            throw Unusable(path, e.Message);
        }
    }

    /// <summary>
    /// Takes back what a pool that was never used, or that is gone, has left on its devices: files that were made for it go, and others
    /// look empty again where they still hold that pool. What cannot be reached is left.
    /// </summary>
    /// <returns>What could not be done, a sentence each.</returns>
    public async Task<IReadOnlyList<string>> ReleaseAsync(RememberedPool pool)
    {
        var problems = new List<string>();
        for (var number = 0; number < pool.Devices.Count; number++)
        {
            var device = pool.Devices[number];
            // It goes with its directory, or is gone, or may be somebody else's.
            if (device.IsWithin || device.Path.Length == 0 || device.IsLeftOut) continue;
            try
            {
                if (!files.FileExists(device.Path)) continue;
                if (device.IsOwn && IsEmpty(device.Path))
                {
                    RemoveOwn(device.Path);
                    continue;
                }
                await using (var opened = PoolDevice.Open(files, device.Path))
                {
                    if (!await IsOfAsync(pool, number, opened.Device)) continue;
                    if (!device.IsOwn) await DeviceSignatures.EraseAsync(opened.Device);
                }
                if (device.IsOwn) RemoveOwn(device.Path);
            }
            catch (AshlarException e)
            {
                problems.Add($"{device.Path} still looks like a device of pool {pool.Name}: {e.Message}");
            }
        }
        return problems;
    }

    /// <summary>Removes a file that was made for a pool.</summary>
    public void RemoveOwn(string path)
    {
        files.Delete(path);
        files.SyncDirectory(Path.GetDirectoryName(path) ?? "/");
    }

    public static ApiException Unusable(string path, string problem) =>
        new(ProblemKind.UnusableDevice, $"{path} cannot be taken: {problem}");

    /// <summary>Whether an error is about a device, rather than about the request or the program.</summary>
    public static bool IsOfDevice(AshlarException error) => error is not ApiException;

    // A file of ours that is blank was not written to its end. Anything else that is not of the pool belongs to somebody else by now.
    async Task<bool> IsOfAsync(RememberedPool pool, int number, FileDevice device)
    {
        if (pool.Devices[number].IsOwn && await DeviceSignatures.FindAsync(device) is null or DeviceSignatures.UnfinishedPool) return true;
        if (pool.Raid is not null)
        {
            if (await RaidArray.IdentifyAsync(device) is not { } says)
                return pool.Stage == PoolStage.Creating && await RaidArray.IsUnfinishedAsync(device, pool.SetId);
            return says.SetId == pool.SetId && (says.Holder is null || says.Holder.Id == host.Id);
        }
        if (number > 0) return await ConcatDevice.FindSetAsync(device) == pool.SetId;
        var identity = await StoragePool.IdentifyAsync(device);
        // Until there is an identity, what is unfinished was made by this server: it was empty when that began.
        if (identity is null)
        {
            return pool is { Stage: PoolStage.Creating, IsPlaced: true }
                && await DeviceSignatures.FindAsync(device) == DeviceSignatures.UnfinishedPool;
        }
        if (identity.Holder is { } holder && holder.Id != host.Id) return false;
        return pool.PoolId is { } id ? identity.Id == id : pool.Devices[number].IsOwn;
    }

    async Task<PoolDevice> CreateAsync(string path, long lengthBytes, bool isReserved)
    {
        var created = await PoolDevice.CreateAsync(files, path, lengthBytes) with { IsCreated = true };
        try
        {
            // A member that runs out of space has failed, and all that take theirs from the same file system run out of it at once.
            if (isReserved) await created.Device.ReserveAsync(Lba.Zero, created.Device.Geometry.BlockCount);
            return created;
        }
        catch (NotSupportedException)
        {
            return created; // Where no space can be had beforehand it is had as it is written.
        }
        catch
        {
            await created.DisposeAsync();
            RemoveOwn(path);
            throw;
        }
    }

    static async Task<bool> IsOfSetAsync(FileDevice device, Guid set) =>
        await RaidArray.IdentifyAsync(device) is { } says && says.SetId == set;

    bool IsEmpty(string path)
    {
        using var file = files.Open(path, FileOpenMode.ReadOnly);
        return file.LengthBytes == 0 && !file.IsBlockDevice;
    }

    static void CheckPath(string path)
    {
        if (!path.StartsWith('/') || path.EndsWith('/') || path.Contains('\0') || Path.GetFullPath(path) != path)
            throw new ApiException(ProblemKind.InvalidRequest, $"'{path}' is not the absolute path of a device");
    }

    async Task CheckContentAsync(string path, bool force, Guid? ofSet)
    {
        try
        {
            await using var opened = FileDevice.Open(files, path, PoolFiles.BlockSizeBytes, isReadOnly: true);
            if (ofSet is { } set && await IsOfSetAsync(opened, set)) return;
            await CheckContentAsync(opened, force);
        }
        catch (AshlarException e) when (IsOfDevice(e))
        {
            throw Unusable(path, e.Message);
        }
    }

    static async Task CheckContentAsync(FileDevice device, bool force)
    {
        if (force || await DeviceSignatures.FindAsync(device) is not { } content) return;
        throw new ApiException(ProblemKind.UnusableDevice, $"{device.Name} cannot be taken: it holds {content}")
        {
            Hint = "what is on it is lost with force",
        };
    }
}
