using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>
/// Looks every few seconds whether each device of a pool is still where it was: a file that was deleted goes on taking what is written,
/// and all of it goes with the last handle. A RAID set does without such a device, if it can. It is believed at the second look in a row:
/// names come and go for a moment, as those of disks do when their links are made anew.
/// </summary>
sealed class DeviceWatch : IAsyncDisposable
{
    public static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    readonly PoolDevices devices;
    readonly Action<string> warn;
    readonly Func<Task> looked;
    readonly ITimer timer;
    readonly SemaphoreSlim turn = new(1, 1);
    readonly HashSet<FileDevice> absent = [];
    readonly HashSet<FileDevice> needed = [];
    bool isEnding;

    /// <summary>Begins to look.</summary>
    /// <param name="devices">What is looked at.</param>
    /// <param name="warn">Gets what is wrong, once, without the name of the pool.</param>
    /// <param name="looked">Called after each look, with nothing of the watch held.</param>
    /// <param name="timeProvider">The clock.</param>
    public DeviceWatch(PoolDevices devices, Action<string> warn, Func<Task> looked, TimeProvider timeProvider)
    {
        this.devices = devices;
        this.warn = warn;
        this.looked = looked;
        timer = timeProvider.CreateTimer(static watch => _ = ((DeviceWatch)watch!).LookAsync(), this, Interval, Interval);
    }

    /// <summary>Looks now. Does nothing while another look is under way, or after the end.</summary>
    public async Task LookAsync()
    {
        if (!await turn.WaitAsync(0)) return;
        try
        {
            if (isEnding) return;
            foreach (var (path, opened) in devices.Opened)
            {
                var device = opened.Device;
                if (!IsGone(opened))
                {
                    absent.Remove(device);
                    if (needed.Remove(device)) devices.Note(path, null);
                }
                else if (!absent.Add(device) && IsOpen(path, device))
                {
                    await GiveUpAsync(path, device);
                }
            }
        }
        catch (BlockDeviceException)
        {
            // The set is lost, which requests tell.
        }
        finally
        {
            turn.Release();
        }
        await looked();
    }

    /// <summary>Ends it, and waits for a look that is under way: what it looks at may be closed then.</summary>
    public async ValueTask DisposeAsync()
    {
        await timer.DisposeAsync();
        await turn.WaitAsync();
        isEnding = true;
        turn.Release();
    }

    // A disk that does not even say so is met by requests.
    static bool IsGone(PoolDevice opened)
    {
        try
        {
            return !opened.Device.IsInPlace;
        }
        catch (StorageException)
        {
            return false;
        }
    }

    // Another one may have been put at its path meanwhile.
    bool IsOpen(string path, FileDevice device) => devices.Opened.Any(each => each.Path == path && each.Opened.Device == device);

    async Task GiveUpAsync(string path, FileDevice device)
    {
        var gone = $"{path} is gone: it was deleted or moved, or another file is there";
        if (devices.Raid is not { } raid)
        {
            needed.Add(device);
            if (devices.Note(path, gone)) warn($"{gone}; the pool goes on with what it has open, and loses all of it when that is closed");
            return;
        }
        foreach (var member in raid.Members)
        {
            if (member.Replacement?.Device == path)
            {
                raid.FailReplacement(member.Place!.Value, gone);
                devices.Note(path, gone);
            }
            if (member.Device != path || member is { State: MemberState.Missing }) continue;
            if (member.Place is not { } place)
            {
                if (raid.TakeSpare(member.Id) is not { } spare) continue;
                await CloseAsync(spare);
                await devices.ForgetAsync(path);
                devices.Note(path, gone);
            }
            else if (await raid.TryFailAsync(place, gone))
            {
                devices.Note(path, gone);
            }
            else if (devices.Note(path, $"{gone}; the set cannot do without it"))
            {
                needed.Add(device);
                warn($"{gone}; the pool cannot do without it and goes on with what it has open, and loses it when that is closed");
            }
        }
    }

    static async Task CloseAsync(IBlockDevice device)
    {
        try
        {
            await device.DisposeAsync();
        }
        catch (BlockDeviceException)
        {
            // It is given up.
        }
    }
}
