using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.KeyValue;
using Ashlar.Storage;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>The devices of one pool while it is open: one behind the other, each held.</summary>
sealed class PoolDevices : IDisposable
{
    readonly List<PoolDevice> opened = [];

    /// <summary>All of them as one; null until they are open. Whoever opens the pool on it closes it.</summary>
    public ConcatDevice? Device { get; private set; }

    /// <summary>Opens the devices of a pool. On failure none stays open.</summary>
    /// <param name="files">The disk.</param>
    /// <param name="pool">The pool.</param>
    /// <param name="directory">Its directory.</param>
    /// <param name="metadata">Its store.</param>
    /// <exception cref="AshlarException">One is missing, in use, damaged, or not what it was.</exception>
    public async ValueTask<IBlockDevice> OpenAsync(IFileSystem files, RememberedPool pool, string directory, KeyValueStore metadata)
    {
        Invariant.Require(Device is null && pool.Devices.Count > 0);
        // Before it is opened as a device, which has whole blocks.
        if (pool.Devices is [var single]) CheckLength(files, single.PathIn(directory), metadata);
        try
        {
            foreach (var device in pool.Devices.Where(static device => !device.IsGone))
            {
                opened.Add(
                    device.IsWithin ? PoolDevice.OpenWithin(files, device.PathIn(directory)) : PoolDevice.Open(files, device.Path));
            }
            if (pool.PoolId is { } id && await StoragePool.IdentifyAsync(opened[0].Device) is var found && found?.Id != id)
            {
                throw new UnsupportedFormatException(
                    opened[0].Device.Name,
                    found is null ? "it holds no pool any more" : $"it holds another pool, {found.Name} ({found.Id})");
            }
            var gaps = pool.Devices.Index().Where(static each => each.Item.IsGone).ToDictionary(
                static each => each.Index, static each => each.Item.GoneBytes!.Value);
            Device = await ConcatDevice.OpenAsync(opened[0].Device, pool.SetId, [.. opened.Skip(1).Select(each => each.Device)], gaps);
            return Device;
        }
        catch
        {
            foreach (var each in opened) await each.DisposeAsync();
            opened.Clear();
            throw;
        }
    }

    /// <summary>Keeps a device that was added, until the pool is closed.</summary>
    public void Keep(PoolDevice added) => opened.Add(added);

    /// <summary>The part of the pool's device that lies on one of its devices, which is not the first; null where there is none.</summary>
    public (long OffsetBytes, long LengthBytes)? FindPart(string path)
    {
        if (Device is null || opened.Find(each => each.Device.Name == path) is not { } device) return null;
        var layout = Device.Layout;
        var index = Enumerable.Range(1, layout.Count - 1).FirstOrDefault(number => layout[number].Device == device.Device);
        return index == 0 ? null : (layout[index].OffsetBytes, layout[index].LengthBytes);
    }

    /// <summary>Takes a device out that nobody uses any more: it is the caller's.</summary>
    public async Task<PoolDevice> TakeOutAsync(string path)
    {
        var device = opened.Single(each => each.Device.Name == path);
        await Device!.TakeOutAsync(device.Device);
        opened.Remove(device);
        return device;
    }

    /// <summary>Lets others have the devices, which were closed before.</summary>
    public void Dispose()
    {
        foreach (var each in opened) each.Hold?.Dispose();
        opened.Clear();
    }

    static void CheckLength(IFileSystem files, string path, KeyValueStore metadata)
    {
        using var file = files.Open(path, FileOpenMode.ReadOnly);
        StoragePool.CheckDeviceLength(metadata, path, file.LengthBytes);
    }
}
