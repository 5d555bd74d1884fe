using System.Net.Sockets;
using System.Text.Json;
using Ashlar.Scsi.Tests;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Nvme.Tests;

/// <summary>
/// Valid admin and I/O queues with some bytes changed, cut or doubled. Whatever the controller makes of one, it goes on, leaks nothing and
/// disturbs nobody.
/// </summary>
public sealed class MutatedSessionTests(ITestOutputHelper output)
{
    const int Commands = 20;
    const int HandshakeBytes = InitializeRequest.SizeBytes + CommandCapsule.HeaderBytes + ConnectData.SizeBytes;

    static readonly int Sessions = TestTier.Choose(200, 9_500);

    [Fact]
    public async Task Queues_that_are_not_mutated_are_answered_to_their_end()
    {
        await using var target = NewTarget();
        using var admin = target.Associate();
        Play(target, IoQueue(new SeededRandom(1), admin.ControllerId, queue: 1));
        Assert.InRange(target.Device.Calls, Commands / 2, Commands);
        Assert.InRange(Play(target, AdminQueue(new SeededRandom(1))), Commands * 24, int.MaxValue);
    }

    [Fact]
    public async Task Mutated_queues_harm_nobody_else()
    {
        var seed = TestSeeds.First(nameof(Mutated_queues_harm_nobody_else));
        var random = new SeededRandom(seed);
        await using var target = NewTarget();
        using var bystander = target.Associate();
        using var bystanderQueue = target.Join(bystander);
        var (answered, throughHandshake) = (0, 0);
        for (var session = 0; session < Sessions; session++)
        {
            var before = target.Device.Calls;
            if (random.OneIn(3))
            {
                Play(target, Mutation.Of(AdminQueue(random), random, HandshakeBytes));
            }
            else
            {
                using var admin = target.Associate();
                Play(target, Mutation.Of(IoQueue(random, admin.ControllerId, queue: 1), random, HandshakeBytes));
            }

            var calls = target.Device.Calls - before;
            answered += calls;
            if (calls > 0) throughHandshake++;
            if (session % 8 == 0) Assert.Equal(512, bystanderQueue.Read(0, 1).MustSucceed().Data.Length);
        }

        target.MustServe();
        Assert.DoesNotContain(target.Reports, line => line.Contains("Exception", StringComparison.Ordinal));
        Assert.InRange(throughHandshake, Sessions / 8, Sessions);
        Assert.InRange(answered, Sessions, int.MaxValue);
        output.WriteLine(JsonSerializer.Serialize(new
        {
            line = "mutated sessions",
            protocol = "nvme",
            seed,
            sessions = Sessions,
            messages = Sessions * (Commands + 2),
            throughHandshake,
            answered,
            failures = 0,
        }));
    }

    static TestTarget NewTarget() => new(
        new ScriptedDevice(32768) { IsForgetful = true },
        static options => options with { HandshakeTimeout = TimeSpan.FromMinutes(1), TransferTimeout = TimeSpan.FromMinutes(1) });

    /// <summary>Sends, says that this was all, and reads until the connection is closed.</summary>
    /// <returns>Bytes that came back.</returns>
    static int Play(TestTarget target, byte[] session)
    {
        using var socket = new Socket(target.EndPoint.AddressFamily, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            ReceiveTimeout = 20_000,
            SendTimeout = 20_000,
        };
        socket.Connect(target.EndPoint);
        var (received, scrap) = (0, new byte[64 << 10]);
        try
        {
            socket.Send(session);
            socket.Shutdown(SocketShutdown.Send);
            for (int bytes; (bytes = socket.Receive(scrap)) > 0;) received += bytes;
        }
        catch (SocketException e) when (e.SocketErrorCode != SocketError.TimedOut)
        {
            // Hung up while we were still talking.
        }

        return received;
    }

    static byte[] IoQueue(SeededRandom random, ushort controller, int queue)
    {
        using var bytes = Begin(queue, controller);
        for (ushort id = 1; id <= Commands; id++)
        {
            var (lba, blocks) = ((uint)random.Next(4096), (uint)random.Next(1, 9));
            var data = random.Bytes((int)blocks * 512);
            switch (random.Next(6))
            {
                case 0:
                    Add(bytes, Entry((byte)NvmOpcode.Flush, id, 1, 0));
                    break;
                case 1:
                    Add(bytes, Entry((byte)NvmOpcode.WriteZeroes, id, 1, 0, lba, 0, blocks - 1));
                    break;
                case 2 or 3:
                    Add(bytes, Entry((byte)NvmOpcode.Write, id, 1, data.Length, lba, 0, blocks - 1, SglDescriptor.InCapsule), data);
                    break;
                default:
                    Add(bytes, Entry((byte)NvmOpcode.Read, id, 1, data.Length, lba, 0, blocks - 1, SglDescriptor.Transport));
                    break;
            }
        }

        return bytes.ToArray();
    }

    static byte[] AdminQueue(SeededRandom random)
    {
        using var bytes = Begin(queue: 0, ConnectData.AnyController);
        Add(bytes, Entry(SubmissionEntry.FabricsOpcode, 0, (uint)FabricsType.PropertySet, 0, 0, 0x14, 0x0046_0001));
        for (ushort id = 1; id < Commands; id++)
        {
            Add(bytes, random.Next(5) switch
            {
                0 => Entry((byte)AdminOpcode.Identify, id, 0, 4096, 1, kind: SglDescriptor.Transport),
                1 => Entry((byte)AdminOpcode.Identify, id, 1, 4096, 0, kind: SglDescriptor.Transport),
                2 => Entry(
                    (byte)AdminOpcode.GetLogPage, id, SubmissionEntry.AllNamespaces, 64, 2 | (15 << 16), kind: SglDescriptor.Transport),
                3 => Entry((byte)AdminOpcode.GetFeatures, id, 0, 0, 7),
                _ => Entry((byte)AdminOpcode.KeepAlive, id, 0, 0),
            });
        }

        return bytes.ToArray();
    }

    static MemoryStream Begin(int queue, ushort controller)
    {
        var bytes = new MemoryStream();
        var request = new byte[InitializeRequest.SizeBytes];
        new InitializeRequest(0, 0, default, 0).Write(request);
        bytes.Write(request);
        var data = new byte[ConnectData.SizeBytes];
        new ConnectData(NvmeHost.HostId, controller, TestTarget.Name, NvmeHost.HostName).Write(data);
        Add(
            bytes,
            Entry(
                SubmissionEntry.FabricsOpcode, 0, (uint)FabricsType.Connect, data.Length, (uint)queue << 16, 127 | (1u << 18), 0,
                SglDescriptor.InCapsule),
            data);
        return bytes;
    }

    static SubmissionEntry Entry(
        byte opcode, ushort id, uint nameSpace, int dataBytes, uint dword10 = 0, uint dword11 = 0, uint dword12 = 0,
        byte kind = SglDescriptor.Transport) =>
        new(opcode, 0x40, id, nameSpace, new(0, (uint)dataBytes, kind), dword10, dword11, dword12, 0, 0, 0);

    static void Add(MemoryStream bytes, SubmissionEntry entry, byte[]? inCapsule = null)
    {
        var dataBytes = inCapsule?.Length ?? 0;
        var header = new byte[CommandCapsule.HeaderBytes];
        entry.Write(header.AsSpan(CommandCapsule.EntryOffset));
        new PduHeader(
            PduType.CommandCapsule, PduFlags.None, (byte)header.Length, (byte)(dataBytes > 0 ? header.Length : 0),
            (uint)(header.Length + dataBytes)).Write(header);
        bytes.Write(header);
        if (inCapsule is not null) bytes.Write(inCapsule);
    }
}
