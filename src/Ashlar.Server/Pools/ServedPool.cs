using System.Diagnostics.CodeAnalysis;
using Ashlar.Api;
using Ashlar.Blocks;
using Ashlar.Volumes;

namespace Ashlar.Server;

/// <summary>A pool that is served: one driver per volume, shared by every protocol, and a count of who uses it.</summary>
sealed class ServedPool(StoragePool pool) : IAsyncDisposable
{
    readonly Dictionary<string, ServedVolume> open = new(StringComparer.Ordinal);
    readonly HashSet<string> leaving = new(StringComparer.Ordinal);
    readonly Lock gate = new();

    public string Name => pool.Name;

    public PoolUsage Usage => pool.GetUsage();

    public PoolStatistics Statistics => pool.GetStatistics();

    public IReadOnlyList<VolumeInfo> List() => pool.ListVolumes();

    public VolumeInfo Get(string name) => pool.FindVolume(name) ?? throw NotFound(name);

    public VolumeClients ClientsOf(string name)
    {
        lock (gate) return open.TryGetValue(name, out var volume) ? volume.Clients : new(0, 0);
    }

    public VolumeClients AllClients()
    {
        lock (gate)
        {
            return open.Values.Select(volume => volume.Clients)
                .Aggregate(new VolumeClients(0, 0), (sum, each) => new(sum.Nbd + each.Nbd, sum.Iscsi + each.Iscsi));
        }
    }

    /// <summary>Opens a volume for a client; false when there is none of that name.</summary>
    public bool TryOpen(
        string name,
        ClientProtocol protocol,
        [NotNullWhen(true)] out ServedVolume? volume,
        [NotNullWhen(true)] out IDisposable? lease)
    {
        // Under the lock, so that a delete sees either the client or no volume to open.
        lock (gate)
        {
            if (leaving.Contains(name))
            {
                (volume, lease) = (null, null);
                return false;
            }
            if (!open.TryGetValue(name, out volume))
            {
                if (pool.FindVolume(name) is not { } info || pool.OpenVolume(name) is not { } device)
                {
                    lease = null;
                    return false;
                }
                volume = open[name] = new ServedVolume(info.Id, name, new BlockDriver(device));
            }
            lease = volume.Lease(protocol);
            return true;
        }
    }

    public async Task<VolumeInfo> CreateAsync(CreateVolume request)
    {
        var blockSizeBytes = request.BlockSizeBytes ?? 512;
        if (blockSizeBytes is not (512 or 4096))
            throw new ApiException(ProblemKind.InvalidSize, $"blocks of {blockSizeBytes} bytes are not offered: 512 or 4096");
        CheckSize(request.SizeBytes, blockSizeBytes);
        var options = new VolumeOptions { SizeBytes = request.SizeBytes, BlockSizeBytes = blockSizeBytes, IsThick = request.IsThick };
        try
        {
            return await pool.CreateVolumeAsync(request.Name, options);
        }
        catch (VolumeNameException e) when (e.Problem == VolumeNameProblem.Taken)
        {
            throw new ApiException(ProblemKind.Exists, $"volume {Name}/{request.Name} exists already");
        }
    }

    public async Task<VolumeInfo> ResizeAsync(string name, ChangeVolume request)
    {
        var current = Get(name);
        CheckSize(request.SizeBytes, current.BlockSizeBytes);
        if (request.SizeBytes < current.SizeBytes && !request.AllowShrink)
        {
            throw new ApiException(
                ProblemKind.WouldShrink,
                $"volume {Name}/{name} has {current.SizeBytes} bytes; {request.SizeBytes} would cut off what lies beyond");
        }
        try
        {
            return await pool.ResizeVolumeAsync(name, request.SizeBytes, request.AllowShrink);
        }
        catch (Exception e) when (e is VolumeDeletedException or VolumeNameException)
        {
            throw NotFound(name);
        }
    }

    /// <summary>Deletes a volume; its space is given back after the call has returned.</summary>
    public async Task DeleteAsync(string name, bool force)
    {
        Get(name);
        lock (gate)
        {
            if (open.TryGetValue(name, out var volume) && volume.Clients is { Total: > 0 } clients && !force)
                throw new ApiException(ProblemKind.InUse, $"volume {Name}/{name} is in use: {Describe(clients)}");
            // Nobody new while it goes. Another who deletes it is as good as too late.
            if (!leaving.Add(name)) throw NotFound(name);
        }
        try
        {
            await pool.DeleteVolumeAsync(name);
            lock (gate) open.Remove(name);
        }
        catch (VolumeNameException)
        {
            throw NotFound(name);
        }
        finally
        {
            lock (gate) leaving.Remove(name);
        }
    }

    public ValueTask DisposeAsync() => pool.DisposeAsync();

    ApiException NotFound(string name) => new(ProblemKind.VolumeNotFound, $"there is no volume {Name}/{name}");

    static string Describe(VolumeClients clients) => (clients.Nbd, clients.Iscsi) switch
    {
        (var nbd, 0) => $"{nbd} NBD {(nbd == 1 ? "client" : "clients")}",
        (0, var iscsi) => $"{iscsi} iSCSI {(iscsi == 1 ? "session" : "sessions")}",
        var (nbd, iscsi) => $"{nbd} by NBD, {iscsi} by iSCSI",
    };

    static void CheckSize(long sizeBytes, int blockSizeBytes)
    {
        if (sizeBytes <= 0) throw new ApiException(ProblemKind.InvalidSize, $"a volume has a size above 0, not {sizeBytes}");
        if (sizeBytes > StoragePool.MaxVolumeBytes)
            throw new ApiException(ProblemKind.InvalidSize, $"{sizeBytes} bytes are more than the largest volume, 1 PiB");
        if (sizeBytes % blockSizeBytes != 0)
        {
            throw new ApiException(
                ProblemKind.InvalidSize, $"a size of {sizeBytes} bytes is not a whole number of {blockSizeBytes}-byte blocks");
        }
    }
}
