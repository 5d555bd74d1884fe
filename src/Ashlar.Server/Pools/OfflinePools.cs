using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.Blocks.Raid;
using Ashlar.KeyValue;
using Ashlar.Storage;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>Pools of a data directory on which no server runs. Nothing is changed.</summary>
public static class OfflinePools
{
    /// <summary>Compares the map of a pool with its free space.</summary>
    /// <param name="options">Where the data directory is.</param>
    /// <param name="name">The pool.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <returns>What it found; null where there is no pool of that name.</returns>
    /// <exception cref="LockedException">A server runs.</exception>
    /// <exception cref="AshlarException">The pool cannot be read.</exception>
    public static async Task<PoolVerification?> VerifyAsync(
        ServerOptions options, string name, CancellationToken cancellationToken = default)
    {
        ArgumentNullException.ThrowIfNull(options);
        var files = options.FileSystem;
        files.RequireDirectory(options.DataDirectory, "data directory");
        using var nobody = files.LockShared($"{options.DataDirectory}/lock");
        if (FindRecord(options, name) is not { } record) return null;
        if (record.IsPlaced) return await VerifyPlacedAsync(options, record, cancellationToken);
        var directory = $"{options.DataDirectory}/pools/{record.Directory}";
        using var metadata = KeyValueStore.Open($"{directory}/meta", new()
        {
            FileSystem = files,
            TimeProvider = options.TimeProvider,
            Entropy = options.Entropy,
            ReadOnly = true,
        });
        var devices = new List<FileDevice>();
        try
        {
            foreach (var device in record.PresentDevices)
                devices.Add(FileDevice.Open(files, device.PathIn(directory), PoolFiles.BlockSizeBytes, isReadOnly: true));
            var set = await ConcatDevice.OpenAsync(devices[0], record.SetId, devices[1..], record.Gaps);
            return await StoragePool.VerifyOfflineAsync(set, metadata, new() { Name = name }, cancellationToken);
        }
        finally
        {
            foreach (var device in devices) await device.DisposeAsync();
        }
    }

    // A RAID set that was not closed in order is put right when it is opened, and nothing is changed here: it is refused.
    static async Task<PoolVerification> VerifyPlacedAsync(
        ServerOptions options, RememberedPool record, CancellationToken cancellationToken)
    {
        var opened = new List<FileDevice>();
        try
        {
            foreach (var device in record.Devices)
            {
                try
                {
                    var found = FileDevice.Open(options.FileSystem, device.Path, PoolFiles.BlockSizeBytes, isReadOnly: true);
                    opened.Add(found);
                    if (record.Raid is null || await RaidArray.IdentifyAsync(found) is { } says && says.SetId == record.SetId) continue;
                    opened.Remove(found);
                    await found.DisposeAsync();
                }
                catch (AshlarException) when (record.Raid is not null)
                {
                    // The set says what it lacks.
                }
            }
            IBlockDevice set = record.Raid is null
                ? await ConcatDevice.OpenAsync(opened[0], record.SetId, opened[1..])
                : await RaidArray.OpenAsync(opened, PoolDevices.RaidOptions(options));
            return await StoragePool.VerifyOfflineAsync(
                set, PoolFiles.PoolOptions(options) with { Name = record.Name }, cancellationToken);
        }
        finally
        {
            foreach (var device in opened) await device.DisposeAsync();
        }
    }

    static RememberedPool? FindRecord(ServerOptions options, string name)
    {
        var registry = new PoolRegistry(options.FileSystem, $"{options.DataDirectory}/system");
        if (!options.FileSystem.DirectoryExists(registry.Path) || registry.IsUntouched)
            return name == DataDirectory.MainPool ? PoolRegistry.Main(options.Entropy) : null; // Of an earlier program.
        return registry.ReadRecords().Select(each => each.Record).FirstOrDefault(record => record?.Name == name);
    }
}
