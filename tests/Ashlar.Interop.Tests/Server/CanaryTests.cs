using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Ashlar.Interop.Tests.Clients;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Interop.Tests.Server;

/// <summary>
/// What clients keep and what they prove themselves with is nobody else's: it is planted wherever a client can put it, and looked for
/// in the log, in answers of the API and in all files but the blocks of the pool.
/// </summary>
public sealed class CanaryTests(ITestOutputHelper output)
{
    const string Canary = "canary-7f3b9d";

    static readonly byte[] CanaryBytes = Encoding.ASCII.GetBytes(Canary);

    [FactIfTool(NbdClient.Library, IscsiClient.Library)]
    public async Task Secrets_and_data_of_clients_appear_in_no_log_no_answer_and_no_file_of_ours()
    {
        using var directory = TemporaryDirectory.OnDisk();
        using var server = new AshlarProcess(directory["data"], "64MiB");
        server.Start();
        server.CreateVolume("vm1", "32MiB");
        var answers = new StringBuilder();

        var block = new byte[4096];
        for (var at = 0; at + CanaryBytes.Length <= block.Length; at += CanaryBytes.Length) CanaryBytes.CopyTo(block, at);
        using (var nbd = server.ConnectNbd("vm1"))
        {
            nbd.Write(0, block, forceUnitAccess: true);
            Assert.Throws<ClientException>(() => nbd.Write(nbd.SizeBytes, block, forceUnitAccess: false));
        }
        using (var iscsi = server.ConnectIscsi("vm1", session: 1))
        {
            iscsi.Write(8192, block, forceUnitAccess: true);
            Assert.False(iscsi.CompareAndWrite(16384, block.AsSpan(0, 512), block.AsSpan(0, 512)));
        }
        SendLogin(server.IscsiEndPoint, $"InitiatorName=iqn.2026-11.test:a\0TargetName={AshlarProcess.TargetName("vm1")}\0"
            + $"AuthMethod=CHAP,None\0CHAP_A=5\0CHAP_N={Canary}\0CHAP_R={Canary}\0X-test.password={Canary}\0");
        SendOption(server.NbdEndPoint, option: 77, CanaryBytes);
        await AskApi(server, answers);

        server.Kill();
        server.Start();
        using (var nbd = server.ConnectNbd("vm1"))
        {
            var found = new byte[4096];
            nbd.Read(0, found);
            Assert.Equal(block, found); // It is there: what is not found elsewhere was not lost.
        }
        answers.Append(server.Command("status", "--output", "json")).Append(server.Command("volume", "list", "--output", "json"));
        server.Stop();

        Assert.DoesNotContain(Canary, server.Log, StringComparison.Ordinal);
        Assert.DoesNotContain(Canary, answers.ToString(), StringComparison.Ordinal);
        var blocks = Path.Combine(directory["data"], "pools", "main", "data");
        Assert.True(Holds(blocks), "the canary is not even where it was written");
        var files = Directory.GetFiles(directory["data"], "*", SearchOption.AllDirectories).Where(file => file != blocks).ToArray();
        Assert.NotEmpty(files);
        Assert.DoesNotContain(files, Holds);
        output.WriteLine(
            JsonSerializer.Serialize(new { line = "canaries", files = files.Length, logCharacters = server.Log.Length, failures = 0 }));
    }

    static async Task AskApi(AshlarProcess server, StringBuilder answers)
    {
        using var http = new HttpClient { BaseAddress = server.Api };
        http.DefaultRequestHeaders.Add("Authorization", $"Bearer {Canary}");
        http.DefaultRequestHeaders.Add("Cookie", $"session={Canary}");
        foreach (var path in new[] { "/readyz", "/v1/status", "/v1/pools", "/nothing" })
        {
            using var response = await http.GetAsync(path);
            answers.Append(response).Append(await response.Content.ReadAsStringAsync());
        }
    }

    // Login Request (RFC 7143, 11.12): immediate, T, operational to full feature.
    static void SendLogin(IPEndPoint endPoint, string text)
    {
        var data = Encoding.ASCII.GetBytes(text);
        var pdu = new byte[48 + data.Length + (-data.Length & 3)];
        pdu[0] = 0x43;
        pdu[1] = 0x87;
        BinaryPrimitives.WriteInt32BigEndian(pdu.AsSpan(4), data.Length);
        pdu[13] = 9; // ISID
        data.CopyTo(pdu, 48);
        Assert.NotEmpty(Send(endPoint, pdu));
    }

    static void SendOption(IPEndPoint endPoint, uint option, byte[] data)
    {
        var bytes = new byte[4 + 16 + data.Length];
        BinaryPrimitives.WriteUInt32BigEndian(bytes, 3); // Fixed newstyle, no zeroes.
        "IHAVEOPT"u8.CopyTo(bytes.AsSpan(4));
        BinaryPrimitives.WriteUInt32BigEndian(bytes.AsSpan(12), option);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(16), data.Length);
        data.CopyTo(bytes, 20);
        Assert.NotEmpty(Send(endPoint, bytes));
    }

    static byte[] Send(IPEndPoint endPoint, byte[] bytes)
    {
        using var socket = new Socket(endPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp) { ReceiveTimeout = 120_000 };
        socket.Connect(endPoint);
        socket.Send(bytes);
        socket.Shutdown(SocketShutdown.Send);
        using var answer = new MemoryStream();
        var scratch = new byte[4096];
        for (int count; (count = socket.Receive(scratch)) > 0;) answer.Write(scratch, 0, count);
        return answer.ToArray();
    }

    static bool Holds(string path) => File.ReadAllBytes(path).AsSpan().IndexOf(CanaryBytes) >= 0;
}
