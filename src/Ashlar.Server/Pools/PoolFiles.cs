using Ashlar.Blocks.Devices;
using Ashlar.KeyValue;
using Ashlar.Storage;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>Where a pool lives in the data directory: a file for its blocks, a key-value store for the rest.</summary>
static class PoolFiles
{
    const int BlockSizeBytes = 4096;

    /// <summary>Length of the file that holds the blocks of a pool.</summary>
    static long LengthBytes(string path, ServerOptions options)
    {
        using var file = options.FileSystem.Open(DataPath(path), FileOpenMode.ReadOnly);
        return file.LengthBytes;
    }

    /// <summary>Creates the files of a pool in an empty directory, and opens it. Durable when the call returns.</summary>
    public static async Task<StoragePool> CreateAsync(
        string path, string name, long capacityBytes, ServerOptions options, Action<PoolEvent>? observer = null)
    {
        var lengthBytes = StoragePool.DeviceBytesFor(capacityBytes);
        await using (var device = FileDevice.Create(options.FileSystem, DataPath(path), lengthBytes, BlockSizeBytes))
        {
            options.FileSystem.CreateDirectory(MetadataPath(path));
            options.FileSystem.SyncDirectory(path);
            await using var metadata = OpenMetadata(path, options, isNew: true);
            await StoragePool.FormatAsync(name, device, metadata, PoolOptions(options));
        }
        return await OpenAsync(path, options, observer);
    }

    /// <summary>Opens a pool, and recovers it if it was not closed.</summary>
    /// <exception cref="ServerStartException">It has another size than the one that is asked for.</exception>
    public static async Task<StoragePool> OpenAsync(string path, ServerOptions options, Action<PoolEvent>? observer = null)
    {
        var metadata = OpenMetadata(path, options, isNew: false);
        FileDevice? device = null;
        StoragePool opened;
        try
        {
            // Before anything else: if the pool cannot be opened, it is the first question.
            if (metadata.Recovery is { WasClosed: false } recovery) Report(observer, $"{DescribePool(path)}: its map was {recovery}");
            StoragePool.CheckDeviceLength(metadata, DataPath(path), LengthBytes(path, options));
            // Before it is recovered: what is refused is left as it is.
            if (StoragePool.FindCapacityBytes(metadata) is { } capacity) PoolSizes.Require(options.PoolSizeBytes, capacity);
            device = FileDevice.Open(options.FileSystem, DataPath(path), BlockSizeBytes);
            opened = await StoragePool.OpenAsync(device, metadata, PoolOptions(options) with { Observer = observer });
        }
        catch
        {
            metadata.Dispose();
            if (device is not null) await device.DisposeAsync();
            throw;
        }

        try
        {
            PoolSizes.Require(options.PoolSizeBytes, opened.GetUsage().CapacityBytes); // Of earlier programs it is known only now.
            return opened;
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
    }

    static string DescribePool(string path) => $"pool {path[(path.LastIndexOf('/') + 1)..]}";

    static void Report(Action<PoolEvent>? observer, string message) =>
        observer?.Invoke(new(PoolEventKind.Recovery, PoolEventSeverity.Information, message));

    static string DataPath(string path) => $"{path}/data";

    static string MetadataPath(string path) => $"{path}/meta";

    static KeyValueStore OpenMetadata(string path, ServerOptions options, bool isNew) => KeyValueStore.Open(MetadataPath(path), new()
    {
        FileSystem = options.FileSystem,
        TimeProvider = options.TimeProvider,
        Entropy = options.Entropy,
        CreateIfMissing = isNew,
    });

    static PoolOptions PoolOptions(ServerOptions options) =>
        new() { TimeProvider = options.TimeProvider, Entropy = options.Entropy };
}
