using Ashlar.Blocks;
using Ashlar.Nbd.Protocol;
using Ashlar.Nbd.Tests.Client;
using Ashlar.TestKit;

namespace Ashlar.Nbd.Tests.Transmission;

/// <summary>What others do to the volume that a client uses.</summary>
public sealed class SharedVolumeTests
{
    [Fact]
    public async Task A_reservation_of_another_client_refuses_reads_and_writes_but_no_flush()
    {
        await using var fixture = new NbdFixture();
        using var client = fixture.Open(blockStatus: true);
        using var initiator = fixture.Front().Attach(new(ClientProtocol.Iscsi, "iqn.2026-11.test:one,i,0x1", "192.0.2.1:4711"));
        client.Write(0, new byte[512]);
        Assert.True(fixture.Front().Access.TryReserve(initiator));
        Assert.Equal(NbdError.NotPermitted, client.ErrorOf(CommandCode.Write, 0, 512, payload: new byte[512]));
        Assert.Equal(NbdError.NotPermitted, client.ErrorOf(CommandCode.WriteZeroes, 0, 512));
        Assert.Equal(NbdError.NotPermitted, client.ErrorOf(CommandCode.Trim, 0, 512));
        Assert.Equal(NbdError.NotPermitted, client.ErrorOf(CommandCode.Read, 0, 512));
        Assert.Equal(NbdError.NotPermitted, client.ErrorOf(CommandCode.Read, 0, 128 << 10));
        Assert.Equal(NbdError.NotPermitted, client.ErrorOf(CommandCode.BlockStatus, 0, 512));
        Assert.Equal(NbdError.None, client.ErrorOf(CommandCode.Flush, 0, 0));
        initiator.Dispose(); // Its reservation ends with it.
        client.Write(0, new byte[512]);
        Assert.Empty(fixture.Reports);
    }

    [Fact]
    public async Task Write_protection_by_another_client_refuses_writes_alone()
    {
        await using var fixture = new NbdFixture();
        using var client = fixture.Open();
        fixture.Front().Access.IsWriteProtected = true;
        Assert.Equal(NbdError.NotPermitted, client.ErrorOf(CommandCode.Write, 0, 512, payload: new byte[512]));
        client.MustStillWork();
    }

    [Fact]
    public async Task What_waits_for_the_limits_of_a_volume_is_given_up_when_its_client_is_cut_off()
    {
        var fixture = new NbdFixture();
        using var client = fixture.Open(structured: false);
        fixture.Front().Limits = new(BytesPerSecond: 1);
        client.Read(0, 512); // Takes what is there for 512 seconds.
        client.Send([.. Write(cookie: 1, offset: 0), .. Write(cookie: 2, offset: 512)]);
        await Waiting.UntilAsync(() => fixture.Front().WaitingCount >= 2, "two requests wait");
        await fixture.DisposeAsync(); // Waits for what is under way for a moment, and cuts the rest off.
        Assert.Equal((0, 0), (fixture.Front().WaitingCount, fixture.Leases));
        Assert.DoesNotContain(fixture.Device.Calls, call => call.Kind == "write");
    }

    [Fact]
    public async Task A_client_that_is_cut_off_gets_what_is_under_way_and_then_ESHUTDOWN_and_the_end()
    {
        using var begun = new ManualResetEventSlim();
        using var go = new ManualResetEventSlim();
        var device = new TestDevice
        {
            Before = call =>
            {
                if (call.Kind != "write") return Task.CompletedTask;
                begun.Set();
                go.Wait();
                return Task.CompletedTask;
            },
        };
        await using var fixture = new NbdFixture(device);
        using var client = fixture.Open(structured: false);
        client.Send([.. Write(cookie: 1, offset: 0), .. Write(cookie: 2, offset: 512)]); // In one piece: the server has both.
        begun.Wait();
        var closing = fixture.Front().CloseAsync(FenceReason.VolumeDeleted, evenIfInUse: true);
        Assert.False(closing.IsCompleted);
        go.Set();
        Assert.True(await closing);
        var replies = new[] { client.ReceiveChunk(), client.ReceiveChunk() };
        Assert.Equal([(1UL, NbdError.None), (2UL, NbdError.Shutdown)], replies.Select(reply => (reply.Cookie, reply.Error)).Order());
        client.MustBeCutOff();
        Assert.Single(device.Calls);
        Assert.Empty(fixture.Reports);
    }

    [Fact]
    public async Task An_idle_client_of_a_volume_that_is_deleted_is_cut_off()
    {
        await using var fixture = new NbdFixture();
        using var client = fixture.Open();
        Assert.True(await fixture.Front().CloseAsync(FenceReason.VolumeDeleted, evenIfInUse: true));
        client.MustBeCutOff();
        Assert.Empty(fixture.Reports);
    }

    static byte[] Write(ulong cookie, ulong offset)
    {
        var bytes = new byte[RequestHeader.SizeBytes + 512];
        new RequestHeader(CommandFlags.None, CommandCode.Write, cookie, offset, 512).Write(bytes);
        return bytes;
    }
}
