using System.Buffers.Binary;
using System.Net;
using System.Text;
using Ashlar.Blocks;
using Ashlar.Scsi.Tests;

namespace Ashlar.Nvme.Tests;

/// <summary>What a controller says of itself, its namespace and its state.</summary>
public sealed class AdminTests
{
    [Fact]
    public async Task A_controller_is_identified_with_all_that_Linux_insists_on()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        var data = admin.Identify(1).MustSucceed().Data;
        Assert.Equal("00112233445566778899", Text(data, 4, 20));
        Assert.Equal("Ashlar volume", Text(data, 24, 40));
        Assert.Equal(admin.ControllerId, UInt16(data, 78));
        Assert.Equal(TestTarget.Name, Text(data, 768, 256));
        Assert.Equal(1, data[111]);          // A controller of I/O,
        Assert.Equal(8, data[77]);           // which moves 1 MiB at most
        Assert.Equal(0x0B, data[76]); // and is one of several, by several ports, with states of access.
        Assert.NotEqual(0, UInt16(data, 320)); // Keep alive
        Assert.Equal(1u, UInt32(data, 536) & 3); // SGLs
        Assert.True(UInt32(data, 1792) >= 4 && UInt32(data, 1796) >= 1); // capsules
        Assert.Equal(0, UInt16(data, 1800));
        Assert.Equal((4096 * 2 + 64) / 16u, UInt32(data, 1792));
        Assert.Equal(128, UInt16(data, 514));
        Assert.Equal((1u, 1u), (UInt32(data, 516), UInt32(data, 540)));
        Assert.Equal(0x2D, UInt16(data, 520)); // Compare, Dataset Management, Write Zeroes, reservations
        Assert.Equal(1, UInt16(data, 522));
        Assert.NotEqual(0, data[342]);
    }

    [Theory]
    [InlineData(512, 9)]
    [InlineData(4096, 12)]
    public async Task A_namespace_is_identified(int blockBytes, int shift)
    {
        await using var target = new TestTarget(new ScriptedDevice(32768, blockBytes));
        using var admin = target.Associate();
        var data = admin.Identify(0, 1).MustSucceed().Data;
        Assert.Equal(32768ul, BinaryPrimitives.ReadUInt64LittleEndian(data));
        Assert.Equal((byte)shift, data[130]);
        Assert.Equal(1, data[30]);
        Assert.Equal(9, data[33]);
        Assert.Equal("00112233445566778899AABBCCDDEEFF", Convert.ToHexString(data.AsSpan(104, 16)));
        Assert.Equal(1u, UInt32(data, 92));
        Assert.Equal(0, data[99]);
        target.Device.IsReadOnly = true;
        Assert.Equal(1, admin.Identify(0, 1).MustSucceed().Data[99]);

        Assert.False(admin.Identify(0, 2).MustSucceed().Data.AsSpan().ContainsAnyExcept((byte)0));
        admin.Identify(0, 0).MustFail(NvmeStatus.InvalidNamespace);
    }

    [Fact]
    public async Task Namespaces_are_listed_and_described()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        Assert.Equal(1u, UInt32(admin.Identify(2).MustSucceed().Data, 0));
        Assert.Equal(0u, UInt32(admin.Identify(2, 1).MustSucceed().Data, 0));
        admin.Identify(2, 0xFFFF_FFFF).MustFail(NvmeStatus.InvalidNamespace);
        Assert.Equal(
            "02100000" + "00112233445566778899AABBCCDDEEFF" + "03100000" + "00112233445566778899AABBCCDDEEFF"
            + "04010000" + "00" + "00000000",
            Convert.ToHexString(admin.Identify(3, 1).MustSucceed().Data.AsSpan(0, 49)));
        admin.Identify(3, 2).MustFail(NvmeStatus.InvalidNamespace);

        admin.Identify(5, 1).MustSucceed();
        admin.Identify(6).MustSucceed();
        Assert.Equal(1u, UInt32(admin.Identify(7).MustSucceed().Data, 0));
        Assert.Equal(1, admin.Identify(8, 1).MustSucceed().Data[14]);
        Assert.Equal(1, admin.Identify(0x1C).MustSucceed().Data[0]);
        admin.Identify(6, commandSet: 2).MustFail(NvmeStatus.InvalidField);
        admin.Identify(0x13).MustFail(NvmeStatus.InvalidField);
    }

    [Fact]
    public async Task Logs_are_told_in_pieces()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        queue.Read(0, 8).MustSucceed();
        var health = admin.Log(LogPage.Health, 512).MustSucceed().Data;
        Assert.Equal(100, health[3]);
        Assert.Equal(admin.Log(LogPage.Health, 256, offset: 256).MustSucceed().Data[..4], health[256..260]);
        Assert.Equal(1, admin.Log(LogPage.FirmwareSlots, 512).MustSucceed().Data[0]);
        Assert.Equal(64, admin.Log(LogPage.Errors, 64).MustSucceed().Data.Length);
        var effects = admin.Log(LogPage.Effects, 4096).MustSucceed().Data;
        Assert.Equal(1u, UInt32(effects, 4 * 6));
        Assert.Equal(3u, UInt32(effects, 1024 + 4));
        Assert.Equal(0u, UInt32(effects, 1024 + (4 * 4)));

        var access = admin.Log(LogPage.AsymmetricAccess, 52).MustSucceed().Data;
        Assert.Equal((1, 1u, 1u, (byte)1, 1u), (UInt16(access, 8), UInt32(access, 16), UInt32(access, 20), access[32], UInt32(access, 48)));
        Assert.Equal(0u, UInt32(admin.Log(LogPage.AsymmetricAccess, 48, specific: 1).MustSucceed().Data, 20));
        admin.Log(LogPage.Health, 512, offset: 516).MustFail(NvmeStatus.InvalidField);
        admin.Log(LogPage.Health, 512, offset: 2).MustFail(NvmeStatus.InvalidField);
        admin.Log(LogPage.Discovery, 1024).MustFail(NvmeStatus.InvalidLogPage);
        admin.Log(LogPage.Health, 2 << 20).MustFail(NvmeStatus.InvalidField);
    }

    [Fact]
    public async Task Discovery_tells_where_the_host_has_come()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate(subsystem: NvmeNames.Discovery);
        Assert.Equal(0, target.Associations);
        var identity = admin.Identify(1).MustSucceed().Data;
        Assert.Equal((2, NvmeNames.Discovery), (identity[111], Text(identity, 768, 256)));
        var log = admin.Log(LogPage.Discovery, 2048).MustSucceed().Data;
        Assert.Equal(1ul, BinaryPrimitives.ReadUInt64LittleEndian(log.AsSpan(8)));
        Assert.Equal((3, 1, 2), (log[1024], log[1025], log[1026]));
        Assert.Equal(0xFFFF, UInt16(log, 1030));
        Assert.Equal($"{target.EndPoint.Port}", Text(log, 1056, 32));
        Assert.Equal(TestTarget.Name, Text(log, 1280, 256));
        Assert.Equal("127.0.0.1", Text(log, 1536, 256));
        Assert.Equal(log[..16], admin.Log(LogPage.Discovery, 16).MustSucceed().Data);

        admin.Identify(0, 1).MustFail(NvmeStatus.InvalidField);
        admin.Log(LogPage.Health, 512).MustFail(NvmeStatus.InvalidLogPage);
        using var queue = target.Dial();
        queue.Connect(1, NvmeNames.Discovery, admin.ControllerId).MustFail(NvmeStatus.ConnectInvalidParameters);
    }

    [Fact]
    public async Task Features_are_got_and_set()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate(keepAlive: 60_000);
        Assert.Equal(0x007F_007Ful, admin.Admin(AdminOpcode.SetFeatures, 7, 0x0003_0003).MustSucceed().Result);
        admin.Admin(AdminOpcode.SetFeatures, 7, 0xFFFF).MustFail(NvmeStatus.InvalidField);
        Assert.Equal(60_000ul, admin.Admin(AdminOpcode.GetFeatures, 0x0F).MustSucceed().Result);
        admin.Admin(AdminOpcode.SetFeatures, 0x0F, 90_000).MustSucceed();
        Assert.Equal(90_000ul, admin.Admin(AdminOpcode.GetFeatures, 0x0F).MustSucceed().Result);
        Assert.Equal(1ul, admin.Admin(AdminOpcode.GetFeatures, 6).MustSucceed().Result);
        var id = admin.Admin(AdminOpcode.GetFeatures, 0x81, 1, readBytes: 16).MustSucceed().Data;
        Assert.Equal(NvmeHost.HostId.ToByteArray(bigEndian: true), id);
        admin.Admin(AdminOpcode.SetFeatures, 0x81).MustFail(NvmeStatus.CommandSequenceError);
        admin.Admin(AdminOpcode.SetFeatures, 7u | (1u << 31)).MustFail(NvmeStatus.FeatureNotSaveable);
        admin.Admin(AdminOpcode.GetFeatures, 0x42).MustFail(NvmeStatus.InvalidField);
        admin.Admin((AdminOpcode)0x0D).MustFail(NvmeStatus.InvalidOpcode);
    }

    [Fact]
    public async Task Without_the_write_cache_every_write_is_durable()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        using var queue = target.Join(admin);
        admin.Admin(AdminOpcode.SetFeatures, 6, 0).MustSucceed();
        Assert.Equal(0ul, admin.Admin(AdminOpcode.GetFeatures, 6).MustSucceed().Result);
        queue.Write(0, NvmeHost.Pattern(512)).MustSucceed();
        Assert.Equal(WriteOptions.ForceUnitAccess, Assert.Single(target.Device.Writes).Options);
    }

    [Fact]
    public async Task A_host_is_told_once_that_its_namespace_has_grown()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        admin.Admin(AdminOpcode.SetFeatures, 0x0B, 1 << 8).MustSucceed();
        var request = admin.Submit(admin.Entry((byte)AdminOpcode.AsynchronousEventRequest, 0));
        admin.Admin(AdminOpcode.KeepAlive).MustSucceed(); // The request waits.

        target.Front.Report(new(VolumeEventKind.CapacityChanged));
        Assert.Equal(0x0004_0002ul, admin.Finish(request).MustSucceed().Result);
        target.Front.Report(new(VolumeEventKind.CapacityChanged));
        request = admin.Submit(admin.Entry((byte)AdminOpcode.AsynchronousEventRequest, 0));
        Assert.Equal(1u, UInt32(admin.Log(LogPage.ChangedNamespaces, 4096).MustSucceed().Data, 0));
        Assert.Equal(0u, UInt32(admin.Log(LogPage.ChangedNamespaces, 4096).MustSucceed().Data, 0));
        target.Front.Report(new(VolumeEventKind.CapacityChanged));
        admin.Finish(request).MustSucceed();
    }

    [Fact]
    public async Task A_host_is_told_once_that_its_path_has_changed_and_others_are_not()
    {
        await using var target = new TestTarget(addresses: [IPAddress.Loopback, IPAddress.Loopback]);
        using var admin = target.Associate();
        using var other = target.Associate(portal: 1);
        Assert.Equal((1u << 8) | (1u << 11), UInt32(admin.Identify(1).MustSucceed().Data, 92));
        foreach (var each in (NvmeHost[])[admin, other]) each.Admin(AdminOpcode.SetFeatures, 0x0B, (1 << 8) | (1 << 11)).MustSucceed();
        var request = admin.Submit(admin.Entry((byte)AdminOpcode.AsynchronousEventRequest, 0));
        var unanswered = other.Submit(other.Entry((byte)AdminOpcode.AsynchronousEventRequest, 0));
        admin.Admin(AdminOpcode.KeepAlive).MustSucceed(); // Both requests wait.
        other.Admin(AdminOpcode.KeepAlive).MustSucceed();

        target.Paths.Set(1, PathState.NonOptimized);
        Assert.Equal(0x000C_0302ul, admin.Finish(request).MustSucceed().Result);
        request = admin.Submit(admin.Entry((byte)AdminOpcode.AsynchronousEventRequest, 0));
        target.Paths.Set(1, PathState.Unavailable);
        Assert.Equal((2ul, 3), AccessOf(admin));
        target.Paths.Set(1, PathState.Optimized);
        Assert.Equal(0x000C_0302ul, admin.Finish(request).MustSucceed().Result);
        Assert.Equal((3ul, 1), AccessOf(admin));

        Assert.Equal((0ul, 1), AccessOf(other));
        target.Front.Report(new(VolumeEventKind.CapacityChanged));
        Assert.Equal(0x0004_0002ul, other.Finish(unanswered).MustSucceed().Result);
    }

    [Fact]
    public async Task Discovery_tells_of_each_subsystem_through_each_portal()
    {
        await using var target = new TestTarget(addresses: [IPAddress.Loopback, IPAddress.IPv6Loopback]);
        using var admin = target.Associate(subsystem: NvmeNames.Discovery);
        var log = admin.Log(LogPage.Discovery, 3072).MustSucceed().Data;
        Assert.Equal(2u, UInt32(log, 8));
        Assert.Equal((1, 1, "127.0.0.1"), (log[1025], UInt16(log, 1028), Text(log, 1536, 256)));
        Assert.Equal((2, 2, "::1"), (log[2049], UInt16(log, 2052), Text(log, 2560, 256)));
        for (var i = 0; i < 2; i++)
        {
            Assert.Equal($"{target.Server.EndPoints[i].Port}", Text(log, (1024 * i) + 1056, 32));
            Assert.Equal(TestTarget.Name, Text(log, (1024 * i) + 1280, 256));
        }
    }

    [Fact]
    public async Task Only_so_many_event_requests_wait()
    {
        await using var target = new TestTarget();
        using var admin = target.Associate();
        for (var i = 0; i < 4; i++) admin.Submit(admin.Entry((byte)AdminOpcode.AsynchronousEventRequest, 0));
        admin.Admin(AdminOpcode.AsynchronousEventRequest).MustFail(NvmeStatus.AsynchronousEventLimitExceeded);
    }

    static (ulong Changes, int State) AccessOf(NvmeHost admin)
    {
        var log = admin.Log(LogPage.AsymmetricAccess, 52).MustSucceed().Data;
        Assert.Equal(log[..8], log[24..32]);
        return (BinaryPrimitives.ReadUInt64LittleEndian(log), log[32]);
    }

    static string Text(byte[] data, int at, int length) => Encoding.ASCII.GetString(data, at, length).TrimEnd(' ', '\0');

    static ushort UInt16(byte[] data, int at) => BinaryPrimitives.ReadUInt16LittleEndian(data.AsSpan(at));

    static uint UInt32(byte[] data, int at) => BinaryPrimitives.ReadUInt32LittleEndian(data.AsSpan(at));
}
