using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi.Tests;

/// <summary>Random damage to PDUs and texts. A failure names its seed: ASHLAR_SEED=... replays it.</summary>
public sealed class FuzzTests(ITestOutputHelper output) : IAsyncLifetime
{
    const int PdusEach = 40;

    static readonly int Connections = TestTier.Choose(100, 5_000), Logins = TestTier.Choose(300, 5_000);

    readonly TestTarget target = new(configure: options => options with
    {
        HandshakeTimeout = TimeSpan.FromMinutes(1),
        TransferTimeout = TimeSpan.FromMinutes(1),
    });

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => target.DisposeAsync().AsTask();

    [Fact]
    public void PDUs_that_are_not_damaged_are_answered()
    {
        using var initiator = target.LogIn("iqn.2026-11.test:tame", isid: 1);
        SendPdus(initiator, new SeededRandom(1), isDamaged: false);
        Assert.InRange(target.Device.Calls, PdusEach / 4, int.MaxValue);
    }

    [Fact]
    public void Damaged_PDUs_hurt_only_their_own_session()
    {
        var seed = TestSeeds.First(nameof(Damaged_PDUs_hurt_only_their_own_session));
        var random = new SeededRandom(seed);
        using var witness = target.LogIn("iqn.2026-11.test:witness", isid: 0x8000_0000_0777);
        var data = random.Bytes(512);
        witness.Write(32000, data);
        var (answered, sessions) = (0, 0);
        for (var connection = 0; connection < Connections; connection++)
        {
            var before = target.Device.Calls;
            using (var hostile = target.LogIn("iqn.2026-11.test:hostile", isid: (ulong)(connection % 4)))
                SendPdus(hostile, random, isDamaged: true);
            answered += target.Device.Calls - before;
            if (target.Device.Calls > before) sessions++;
            if (connection % 16 == 0) Assert.Equal(data, witness.Read(32000, 1));
        }
        Assert.Equal(data, witness.Read(32000, 1));
        MustBeCalm();
        Assert.InRange(sessions, Connections / 4, Connections);
        Assert.InRange(answered, Connections, int.MaxValue);
        Report("iscsi", seed, Connections, Connections * PdusEach, sessions, answered);
    }

    [Fact]
    public void Damaged_logins_end_without_a_session_or_with_one_that_serves()
    {
        var seed = TestSeeds.First(nameof(Damaged_logins_end_without_a_session_or_with_one_that_serves));
        var random = new SeededRandom(seed);
        var loggedIn = 0;
        for (var i = 0; i < Logins; i++)
        {
            using var hostile = target.Connect();
            var text = Encoding.ASCII.GetBytes(Initiator.Names() + "InitialR2T=No\0HeaderDigest=CRC32C,None\0MaxBurstLength=262144\0");
            for (var n = random.Next(4); n > 0; n--) text[random.Next(text.Length)] = (byte)random.Next(256);
            var header = new byte[Bhs.SizeBytes];
            // Half of them as an initiator would say it.
            var (transit, current, next) = random.OneIn(2)
                ? (true, LoginStage.Operational, LoginStage.FullFeature)
                : (random.OneIn(2), (LoginStage)random.Next(4), (LoginStage)random.Next(4));
            new LoginRequestPdu(transit, random.OneIn(8), current, next, 0, 0, (ulong)i, 0, 1, 0, 1, 1).Write(header, text.Length);
            for (var n = random.Next(3); n > 0; n--) header[random.Next(header.Length)] = (byte)random.Next(256);
            var answer = TrySend(hostile, [.. header, .. text, .. new byte[Bhs.Padding(text.Length)]]);
            if (answer.Length >= Bhs.SizeBytes && IsSuccess(answer)) loggedIn++;
        }
        target.MustServe();
        MustBeCalm();
        Assert.InRange(loggedIn, Logins / 40, Logins * 39 / 40);
        Report("iscsi logins", seed, Logins, Logins, loggedIn, loggedIn);

        static bool IsSuccess(byte[] answer) =>
            Bhs.ReadOpcode(answer) == Opcode.LoginResponse && LoginResponsePdu.Read(answer).Status == LoginStatus.Success;
    }

    /// <summary>
    /// Commands, pings and the like; of the damaged ones every fourth is mostly noise, and ends the session sooner or later.
    /// </summary>
    static void SendPdus(Initiator initiator, SeededRandom random, bool isDamaged)
    {
        var bytes = new List<byte>();
        for (uint tag = 1; tag <= PdusEach; tag++) bytes.AddRange(isDamaged && random.OneIn(4) ? Noise(random) : Valid(random, tag));
        TrySend(initiator, [.. bytes]);
    }

    static byte[] Valid(SeededRandom random, uint tag)
    {
        var header = new byte[Bhs.SizeBytes];
        var blocks = random.Next(1, 5);
        switch (random.Next(5))
        {
            case 0:
                new NopOutPdu(Immediate: true, tag, Bhs.NoTag, 0, 0).Write(header, 0);
                return header;
            case 1:
                new ScsiCommandPdu(true, true, false, false, TaskAttribute.Simple, tag, 0, 0, 0).Write(
                    header, new byte[8], new byte[16], 0);
                return header;
            case 2:
                new ScsiCommandPdu(true, true, false, true, TaskAttribute.Simple, tag, (uint)blocks * 512, 0, 0)
                    .Write(header, new byte[8], Initiator.Cdb(0x2A, (uint)random.Next(200), blocks), blocks * 512);
                return [.. header, .. random.Bytes(blocks * 512)];
            default:
                new ScsiCommandPdu(true, true, true, false, TaskAttribute.Simple, tag, (uint)blocks * 512, 0, 0)
                    .Write(header, new byte[8], Initiator.Cdb(0x28, (uint)random.Next(200), blocks), 0);
                return header;
        }
    }

    static byte[] Noise(SeededRandom random)
    {
        byte[] opcodes = [0x00, 0x01, 0x01, 0x01, 0x02, 0x04, 0x05, 0x05, 0x06, 0x10];
        byte[] commands = [0x08, 0x0A, 0x12, 0x15, 0x1A, 0x28, 0x2A, 0x2E, 0x2F, 0x35, 0x41, 0x42, 0x89, 0x8B, 0x93, 0x9E, 0xA0, 0xA3];
        var pdu = random.Bytes(Bhs.SizeBytes);
        pdu[0] = (byte)(random.Pick(opcodes) | 0x40);
        pdu[4] = (byte)(random.OneIn(10) ? random.Next(8) : 0);
        var dataBytes = random.OneIn(3) ? random.Next(2048) : 0;
        pdu[5] = (byte)(random.OneIn(200) ? 255 : 0);
        pdu[6] = (byte)(dataBytes >> 8);
        pdu[7] = (byte)dataBytes;
        pdu.AsSpan(8, 8).Clear();
        pdu.AsSpan(16, 3).Clear(); // Few tags, so that they meet.
        pdu[19] &= 7;
        if (random.OneIn(2)) pdu.AsSpan(20, 2).Clear();
        // Resets disturb others by right: only aborts are tried.
        if ((pdu[0] & 0x3F) == 2) pdu[1] = (byte)(0x80 | (random.OneIn(2) ? random.Next(1, 3) : random.Next(8, 128)));
        if ((pdu[0] & 0x3F) == 1)
        {
            pdu[32] = random.Pick(commands);
            pdu.AsSpan(34, 6).Clear();
            // The witness's block is near the end: damage stays before it.
            pdu[39] = (byte)random.Next(256);
            if (random.OneIn(2)) pdu.AsSpan(40, 6).Clear();
            pdu[33] = (byte)random.Next(32);
            if (pdu[32] is 0x41 or 0x42 or 0x93) pdu[32] = 0x35;
        }
        return [.. pdu, .. new byte[dataBytes + (pdu[4] * 4) + Bhs.Padding(dataBytes)]];
    }

    /// <summary>Sends, says that this was all, and returns what came back until the connection was closed.</summary>
    static byte[] TrySend(Initiator hostile, byte[] bytes)
    {
        try
        {
            hostile.SendRaw(bytes);
            hostile.EndInput();
        }
        catch (SocketException)
        {
            // Cut off: just what is right.
        }
        return hostile.ReceiveToEnd();
    }

    void Report(string protocol, ulong seed, int sessions, int messages, int throughHandshake, int answered) =>
        output.WriteLine(JsonSerializer.Serialize(
            new { line = "mutated sessions", protocol, seed, sessions, messages, throughHandshake, answered, failures = 0 }));

    /// <summary>A fuzzed session must not find a bug: those are reported as failures of our own.</summary>
    void MustBeCalm() => Assert.DoesNotContain(target.Reports, line =>
        line.Contains("of our own", StringComparison.Ordinal) || line.Contains("failed:", StringComparison.Ordinal));
}
