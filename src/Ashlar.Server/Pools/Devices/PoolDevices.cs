using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
using Ashlar.KeyValue;
using Ashlar.Storage;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>The devices of one pool while it is open: one behind the other, or a RAID set; each held.</summary>
sealed class PoolDevices : IDisposable
{
    const string SetName = "RAID set";

    static readonly TimeSpan LongestRelease = TimeSpan.FromSeconds(5);

    readonly Lock gate = new();
    readonly List<(string Path, PoolDevice Opened)> opened = [];
    readonly Dictionary<string, string> problems = new(StringComparer.Ordinal);
    readonly HashSet<string> replaced = new(StringComparer.Ordinal);

    /// <summary>All of them, one behind the other; null where they are a RAID set, or not open. Whoever opens the pool closes it.</summary>
    public ConcatDevice? Device { get; private set; }

    /// <summary>All of them as a RAID set; null where they are none.</summary>
    public RaidArray? Raid { get; private set; }

    /// <summary>What of a RAID set is in use.</summary>
    public PoolAllocation Allocation { get; } = new();

    /// <summary>Those that are open.</summary>
    public IReadOnlyList<(string Path, PoolDevice Opened)> Opened
    {
        get
        {
            lock (gate) return [.. opened];
        }
    }

    /// <summary>How a RAID set of this server works.</summary>
    public static RaidOptions RaidOptions(ServerOptions options) => new()
    {
        Name = SetName,
        Host = HostOf(options),
        KeepsSpace = true,
        TimeProvider = WorkerClock.For(options.TimeProvider),
        Entropy = options.Entropy,
    };

    public static RaidHost HostOf(ServerOptions options) => new(options.Host.Id, options.Host.Name);

    /// <summary>Opens the devices of a pool with its metadata in its directory. On failure none stays open.</summary>
    /// <param name="files">The disk.</param>
    /// <param name="pool">The pool.</param>
    /// <param name="directory">Its directory.</param>
    /// <param name="metadata">Its store.</param>
    /// <exception cref="AshlarException">One is missing, in use, damaged, or not what it was.</exception>
    public async ValueTask<IBlockDevice> OpenAsync(IFileSystem files, RememberedPool pool, string directory, KeyValueStore metadata)
    {
        // Before it is opened as a device, which has whole blocks.
        if (pool.Devices is [var single]) CheckLength(files, single.PathIn(directory), metadata);
        return await OpenAsync(files, pool, directory);
    }

    /// <summary>Opens the devices of a pool with its metadata on them. On failure none stays open.</summary>
    /// <param name="pool">The pool.</param>
    /// <param name="options">How the server runs.</param>
    /// <param name="observe">Gets what a RAID set has to tell.</param>
    /// <param name="isTakenOver">Whether a RAID set is taken also if another machine has it.</param>
    /// <param name="acceptsLoss">Whether a RAID set is started also where some of what was written last is lost by it.</param>
    /// <exception cref="AshlarException">Too many of them are missing, in use, damaged, or not what they were.</exception>
    public async ValueTask<IBlockDevice> OpenPlacedAsync(
        RememberedPool pool, ServerOptions options, Action<RaidEvent> observe, bool isTakenOver = false, bool acceptsLoss = false)
    {
        Invariant.Require(pool.IsPlaced);
        return pool.Raid is null
            ? await OpenAsync(options.FileSystem, pool, directory: "")
            : await OpenRaidAsync(pool, options, observe, isTakenOver, acceptsLoss);
    }

    /// <summary>
    /// What is remembered of a pool whose RAID set was opened: devices that others were about to replace leave, wherever that began.
    /// </summary>
    public RememberedPool WithReplaced(RememberedPool pool) => replaced.Count == 0 ? pool : pool with
    {
        Devices = [.. pool.Devices.Select(each => replaced.Contains(each.Path) ? each with { IsLeaving = true } : each)],
    };

    /// <summary>Why a device is not used, or should not be; null where nothing is known against it.</summary>
    public string? ProblemOf(string path)
    {
        lock (gate) return problems.GetValueOrDefault(path);
    }

    /// <summary>Notes what is wrong with a device, or that nothing is. False when that was known.</summary>
    public bool Note(string path, string? problem)
    {
        lock (gate)
        {
            if (problems.GetValueOrDefault(path) == problem) return false;
            if (problem is null) problems.Remove(path);
            else problems[path] = problem;
            return true;
        }
    }

    /// <summary>Keeps a device that was added, until the pool is closed.</summary>
    public void Keep(string path, PoolDevice added)
    {
        lock (gate)
        {
            opened.Add((path, added));
            problems.Remove(path);
        }
    }

    /// <summary>The part of the pool's device that lies on one of its devices, which is not the first; null where there is none.</summary>
    public (long OffsetBytes, long LengthBytes)? FindPart(string path)
    {
        if (Device is null || Find(path) is not { } device) return null;
        var layout = Device.Layout;
        var index = Enumerable.Range(1, layout.Count - 1).FirstOrDefault(number => layout[number].Device == device.Device);
        return index == 0 ? null : (layout[index].OffsetBytes, layout[index].LengthBytes);
    }

    /// <summary>Takes a device out that nobody uses any more: it is the caller's.</summary>
    public async Task<PoolDevice> TakeOutAsync(string path)
    {
        var device = Find(path)!;
        await Device!.TakeOutAsync(device.Device);
        lock (gate) opened.RemoveAll(each => each.Path == path);
        return device;
    }

    PoolDevice? Find(string path)
    {
        lock (gate) return opened.Find(each => each.Path == path).Opened;
    }

    /// <summary>
    /// Lets others have a device that is not used any more, and closes it. One that answers nothing is closed when it does, or with the
    /// set: nobody waits for it.
    /// </summary>
    public async Task ForgetAsync(string path)
    {
        PoolDevice? forgotten;
        lock (gate)
        {
            problems.Remove(path);
            forgotten = opened.Find(each => each.Path == path).Opened;
            opened.RemoveAll(each => each.Path == path);
        }
        if (forgotten is null) return;
        forgotten.Hold?.Dispose();
        if (Raid is { } raid) await Task.WhenAny(CloseReleasedAsync(raid, forgotten.Device), Task.Delay(LongestRelease));
    }

    // It is given up: what closing it has to say matters to nobody.
    static async Task CloseReleasedAsync(RaidArray raid, FileDevice device)
    {
        try
        {
            if (await raid.ReleaseAsync(device)) await device.DisposeAsync();
        }
        catch (AshlarException)
        {
            // The set closes it in the end.
        }
    }

    /// <summary>Lets others have the devices, which were closed before.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            foreach (var (_, each) in opened) each.Hold?.Dispose();
            opened.Clear();
        }
    }

    async ValueTask<IBlockDevice> OpenAsync(IFileSystem files, RememberedPool pool, string directory)
    {
        Invariant.Require(Device is null && pool.Devices.Count > 0);
        var all = new List<(string, PoolDevice Opened)>();
        try
        {
            foreach (var device in pool.PresentDevices)
            {
                var path = device.PathIn(directory);
                all.Add((path, device.IsWithin ? PoolDevice.OpenWithin(files, path) : PoolDevice.Open(files, path)));
            }
            var first = all[0].Opened.Device;
            if (pool.PoolId is { } id && await StoragePool.IdentifyAsync(first) is var found && found?.Id != id)
            {
                throw new UnsupportedFormatException(
                    first.Name, found is null ? "it holds no pool any more" : $"it holds another pool, {found.Name} ({found.Id})");
            }
            Device = await ConcatDevice.OpenAsync(first, pool.SetId, [.. all.Skip(1).Select(each => each.Opened.Device)], pool.Gaps);
            opened.AddRange(all);
            return Device;
        }
        catch
        {
            foreach (var (_, each) in all) await each.DisposeAsync();
            throw;
        }
    }

    // One that is missing, or that holds something else by now, is not needed as long as the others make up for it.
    async ValueTask<IBlockDevice> OpenRaidAsync(
        RememberedPool pool, ServerOptions options, Action<RaidEvent> observe, bool isTakenOver, bool acceptsLoss)
    {
        Invariant.Require(Raid is null);
        var (all, members) = (new List<(string Path, PoolDevice Opened)>(), new List<RaidMembership>());
        try
        {
            foreach (var device in pool.Devices)
            {
                if (device.IsLeftOut)
                {
                    problems[device.Path] = "it was not named when the pool was imported";
                    continue;
                }
                PoolDevice? found = null;
                try
                {
                    found = PoolDevice.Open(options.FileSystem, device.Path);
                    if (await RaidArray.IdentifyAsync(found.Device) is not { } says || says.SetId != pool.SetId)
                        throw new UnsupportedFormatException(device.Path, "it does not belong to the set");
                    all.Add((device.Path, found));
                    members.Add(says);
                }
                catch (AshlarException e)
                {
                    if (found is not null) await found.DisposeAsync();
                    problems[device.Path] = e.Message;
                }
            }
            var raidOptions = RaidOptions(options) with
            {
                Events = observe,
                Allocated = Allocation,
                IsTakenOver = isTakenOver,
                LeastGeneration = pool.RaidGeneration,
                IsForced = acceptsLoss,
            };
            Raid = await RaidArray.OpenAsync([.. all.Select(each => each.Opened.Device)], raidOptions);
            opened.AddRange(all);
            foreach (var ((path, _), says) in all.Zip(members))
                if (members.Exists(other => other.Replaces == says.MemberId)) replaced.Add(path);
            return Raid;
        }
        catch (RaidRefusedException e) when (problems.Count > 0)
        {
            foreach (var (_, each) in all) await each.DisposeAsync();
            throw new RaidRefusedException(SetName, e.Reason, $"{e.Message}; {string.Join("; ", problems.Values)}");
        }
        catch
        {
            foreach (var (_, each) in all) await each.DisposeAsync();
            throw;
        }
    }

    static void CheckLength(IFileSystem files, string path, KeyValueStore metadata)
    {
        using var file = files.Open(path, FileOpenMode.ReadOnly);
        StoragePool.CheckDeviceLength(metadata, path, file.LengthBytes);
    }
}
