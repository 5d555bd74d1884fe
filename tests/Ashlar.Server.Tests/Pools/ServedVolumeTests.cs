using Ashlar.Blocks;
using Ashlar.Blocks.Devices;

namespace Ashlar.Server.Tests.Pools;

public sealed class ServedVolumeTests
{
    [Fact]
    public async Task What_a_client_wrote_is_flushed_when_it_leaves()
    {
        await using var device = new MemoryDevice();
        var volume = new ServedVolume(Guid.Empty, "vm1", new BlockDriver(device));
        var lease = volume.Lease(ClientProtocol.Nbd);
        await volume.Driver.WriteAsync(0, new byte[4096]);
        Assert.Equal(0, device.GetStatistics().Flushes);
        lease.Dispose();
        Assert.Equal(1, device.GetStatistics().Flushes);
        lease.Dispose();
        Assert.Equal(1, device.GetStatistics().Flushes);
    }
}
