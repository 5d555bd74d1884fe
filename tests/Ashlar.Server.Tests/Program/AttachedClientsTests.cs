using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Ashlar.Server.Tests.Program;

/// <summary>Clients of a running server over both protocols, in the bytes that they send.</summary>
public sealed class AttachedClientsTests
{
    [Fact]
    public async Task Whoever_is_attached_is_shown_and_is_cut_off_when_the_volume_is_deleted_by_force()
    {
        await using var server = await RunningProgram.StartAsync();
        await server.CallAsync("volume", "create", "vm1", "--size", "1GiB");
        using var nbd = await ConnectAsync(new Uri(server.Status.Endpoints.Nbd).Port);
        await AttachNbdAsync(nbd.GetStream(), "vm1");
        await ReadNbdAsync(nbd.GetStream(), 4096);
        using var iscsi = await ConnectAsync(IPEndPoint.Parse(server.Status.Endpoints.Iscsi).Port);
        await LogInAsync(iscsi.GetStream(), "iqn.2026-11.io.ashlar:main.vm1");
        Assert.Equal("6/29/00", await TestUnitReadyAsync(iscsi.GetStream(), cmdSN: 1));

        var sessions = (await server.CallAsync("volume", "show", "vm1", "-o", "json")).OutJson.GetProperty("sessions");
        Assert.Equal(
            [("nbd", nbd.Client.LocalEndPoint!.ToString()), ("iscsi", "iqn.2026-11.test:one,i,0x800000000001")],
            sessions.EnumerateArray().Select(each => (each.GetProperty("protocol").GetString(), each.GetProperty("client").GetString())));
        Assert.Equal(4096, sessions[0].GetProperty("reads").GetProperty("bytes").GetInt64());
        Assert.Equal(iscsi.Client.LocalEndPoint!.ToString(), sessions[1].GetProperty("address").GetString());
        var shown = (await server.CallAsync("volume", "show", "vm1")).Out;
        Assert.Contains("iscsi iqn.2026-11.test:one,i,0x800000000001", shown, StringComparison.Ordinal);

        var refused = await server.CallAsync("volume", "resize", "vm1", "--size", "1MiB", "--allow-shrink");
        Assert.StartsWith("error: volume vm1 is in use: 1 NBD, 1 iSCSI\n", refused.Error, StringComparison.Ordinal);
        Assert.Equal("vm1 is in the trash\n", (await server.CallAsync("volume", "delete", "vm1", "--yes", "--force")).Out);
        Assert.Equal(0, await nbd.GetStream().ReadAsync(new byte[1]));
        Assert.Equal("5/25/00", await TestUnitReadyAsync(iscsi.GetStream(), cmdSN: 2));
        iscsi.Close();
        await server.StopAsync();

        string[] lines =
        [
            $"nbd: {sessions[0].GetProperty("address")} connected to main/vm1",
            $"nbd: {sessions[0].GetProperty("address")} disconnected from main/vm1 after ",
            $"iscsi: iqn.2026-11.test:one,i,0x800000000001 at {sessions[1].GetProperty("address")} connected to main/vm1",
            $"iscsi: iqn.2026-11.test:one,i,0x800000000001 at {sessions[1].GetProperty("address")} disconnected from main/vm1 after ",
        ];
        Assert.All(lines, line => Assert.Contains(line, server.Log, StringComparison.Ordinal));
        Assert.DoesNotContain(" at Ashlar.", server.Log, StringComparison.Ordinal); // No stack trace.
    }

    static async Task<TcpClient> ConnectAsync(int port)
    {
        var client = new TcpClient(AddressFamily.InterNetwork) { NoDelay = true };
        await client.ConnectAsync(IPAddress.Loopback, port);
        return client;
    }

    /// <summary>Fixed newstyle negotiation with NBD_OPT_EXPORT_NAME, to the end of its reply.</summary>
    static async Task AttachNbdAsync(NetworkStream stream, string export)
    {
        await stream.ReadExactlyAsync(new byte[18]);
        byte[] option = [0, 0, 0, 3, .. "IHAVEOPT"u8, 0, 0, 0, 1, 0, 0, 0, (byte)export.Length, .. Encoding.ASCII.GetBytes(export)];
        await stream.WriteAsync(option);
        await stream.ReadExactlyAsync(new byte[10]);
    }

    static async Task ReadNbdAsync(NetworkStream stream, int length)
    {
        byte[] request = [0x25, 0x60, 0x95, 0x13, 0, 0, 0, 0, .. new byte[16], 0, 0, (byte)(length >> 8), (byte)length];
        await stream.WriteAsync(request);
        await stream.ReadExactlyAsync(new byte[16 + length]);
    }

    // Login request (RFC 7143, 11.12): at once to the full feature phase.
    static async Task LogInAsync(NetworkStream stream, string target)
    {
        var text = Encoding.ASCII.GetBytes($"InitiatorName=iqn.2026-11.test:one\0SessionType=Normal\0TargetName={target}\0");
        byte[] header =
        [
            0x43, 0x87, 0, 0, 0, 0, 0, (byte)text.Length, // Opcode, stages, length of the text.
            0x80, 0, 0, 0, 0, 1, 0, 0,                    // ISID, TSIH.
            0, 0, 0, 9, .. new byte[4],                   // Initiator task tag, CID.
            0, 0, 0, 1, .. new byte[20],                  // CmdSN.
        ];
        await stream.WriteAsync((byte[])[.. header, .. text, .. new byte[-text.Length & 3]]);
        Assert.Equal([0, 0], (await ReceiveAsync(stream)).Header[36..38]); // Status.
    }

    /// <summary>Sends TEST UNIT READY; the answer's sense as engineers write it.</summary>
    static async Task<string> TestUnitReadyAsync(NetworkStream stream, byte cmdSN)
    {
        await stream.WriteAsync((byte[])[0x01, 0x80, .. new byte[14], 0, 0, 0, cmdSN, .. new byte[4], 0, 0, 0, cmdSN, .. new byte[20]]);
        var sense = (await ReceiveAsync(stream)).Data;
        return $"{sense[4]:X}/{sense[14]:X2}/{sense[15]:X2}"; // Two bytes of length come first.
    }

    static async Task<(byte[] Header, byte[] Data)> ReceiveAsync(NetworkStream stream)
    {
        var header = new byte[48];
        await stream.ReadExactlyAsync(header);
        var data = new byte[((header[6] << 8) + header[7] + 3) & ~3];
        await stream.ReadExactlyAsync(data);
        return (header, data);
    }
}
