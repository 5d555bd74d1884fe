using Ashlar.Blocks;
using Ashlar.Storage;

namespace Ashlar.Server;

/// <summary>By which protocol a client came.</summary>
enum ClientProtocol
{
    Nbd = 0,
    Iscsi,
}

/// <summary>A volume that is open: its one driver, and who uses it.</summary>
sealed class ServedVolume(Guid id, string name, BlockDriver driver)
{
    int nbdClients;
    int iscsiClients;

    public Guid Id { get; } = id;

    public string Name { get; } = name;

    public BlockDriver Driver { get; } = driver;

    public Api.VolumeClients Clients => new(Volatile.Read(ref nbdClients), Volatile.Read(ref iscsiClients));

    /// <summary>Counts a client in until the lease is disposed.</summary>
    public IDisposable Lease(ClientProtocol protocol)
    {
        Interlocked.Increment(ref Counter(protocol));
        return new ClientLease(this, protocol);
    }

    ref int Counter(ClientProtocol protocol) => ref protocol == ClientProtocol.Nbd ? ref nbdClients : ref iscsiClients;

    // A client may leave without flushing, as qemu-img convert does: what it wrote should not hang on the server's life for
    // longer than it must.
    async Task ClientLeftAsync(ClientProtocol protocol)
    {
        Interlocked.Decrement(ref Counter(protocol));
        try
        {
            await Driver.FlushAsync().ConfigureAwait(false);
        }
        catch (Exception e) when (e is AshlarException or ObjectDisposedException)
        {
            // A failed flush latches, so whoever writes or flushes next hears of it; a closed pool has been flushed.
        }
    }

    sealed class ClientLease(ServedVolume volume, ClientProtocol protocol) : IDisposable
    {
        ServedVolume? volume = volume;

        public void Dispose() => _ = Interlocked.Exchange(ref volume, null)?.ClientLeftAsync(protocol);
    }
}
