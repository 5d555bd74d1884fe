using Ashlar.Blocks;
using Ashlar.Blocks.Devices;
using Ashlar.Volumes;

namespace Ashlar.Server.Tests.Pools;

public sealed class ServedVolumeTests
{
    [Fact]
    public async Task What_a_client_wrote_is_flushed_when_it_leaves()
    {
        await using var device = new MemoryDevice();
        var info = new VolumeInfo(Guid.Empty, "vm1", device.Geometry.SizeBytes, 4096, 0, default);
        var volume = new ServedVolume(info, "main/vm1", device, _ => { }, TimeProvider.System);
        var lease = volume.Front.Attach(new(ClientProtocol.Nbd, "192.0.2.1:4711", "192.0.2.1:4711"));
        await lease.WriteAsync(0, new byte[4096]);
        Assert.Equal(0, device.GetStatistics().Flushes);
        lease.Dispose();
        Assert.Equal(1, device.GetStatistics().Flushes);
        lease.Dispose();
        Assert.Equal(1, device.GetStatistics().Flushes);
    }
}
