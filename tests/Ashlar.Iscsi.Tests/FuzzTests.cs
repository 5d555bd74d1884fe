using System.Net.Sockets;
using System.Text;
using Ashlar.TestKit;
using Bhs = Ashlar.Iscsi.BasicHeaderSegment;

namespace Ashlar.Iscsi.Tests;

/// <summary>Random damage to PDUs and texts. A failure names its seed: ASHLAR_SEED=... replays it.</summary>
public sealed class FuzzTests : IAsyncLifetime
{
    readonly TestTarget target = new(configure: options => options with
    {
        HandshakeTimeout = TimeSpan.FromSeconds(4),
        TransferTimeout = TimeSpan.FromSeconds(4),
    });

    public Task InitializeAsync() => Task.CompletedTask;

    public Task DisposeAsync() => target.DisposeAsync().AsTask();

    [Theory, Seeds(count: 20)]
    public void Damaged_PDUs_hurt_only_their_own_session(ulong seed)
    {
        var random = new Random((int)seed);
        using var witness = target.LogIn("iqn.2026-11.test:witness", isid: 0x8000_0000_0777);
        var data = new byte[512];
        random.NextBytes(data);
        witness.Write(32000, data);
        for (var connection = 0; connection < 4; connection++)
        {
            using var hostile = target.LogIn("iqn.2026-11.test:hostile", isid: (ulong)connection);
            SendDamaged(hostile, random);
        }
        Assert.Equal(data, witness.Read(32000, 1));
        MustBeCalm();
    }

    [Theory, Seeds(count: 20)]
    public void Damaged_logins_end_without_a_session(ulong seed)
    {
        var random = new Random((int)seed);
        for (var i = 0; i < 10; i++)
        {
            using var hostile = target.Connect();
            var text = Encoding.ASCII.GetBytes(Initiator.Names() + "InitialR2T=No\0HeaderDigest=CRC32C,None\0MaxBurstLength=262144\0");
            for (var n = random.Next(4); n > 0; n--) text[random.Next(text.Length)] = (byte)random.Next(256);
            var header = new byte[Bhs.SizeBytes];
            var stage = (LoginStage)random.Next(4);
            new LoginRequestPdu(random.Next(2) == 0, random.Next(4) == 0, stage, (LoginStage)random.Next(4), 0, 0, 1, 0, 1, 0, 1, 1).Write(header, text.Length);
            for (var n = random.Next(3); n > 0; n--) header[random.Next(header.Length)] = (byte)random.Next(256);
            TrySend(hostile, [.. header, .. text, .. new byte[Bhs.Padding(text.Length)]]);
        }
        target.MustServe();
        MustBeCalm();
    }

    /// <summary>Valid commands with some bytes changed, so that most get past the first check.</summary>
    static void SendDamaged(Initiator hostile, Random random)
    {
        byte[] opcodes = [0x00, 0x01, 0x01, 0x01, 0x02, 0x04, 0x05, 0x05, 0x06, 0x10];
        byte[] commands = [0x08, 0x0A, 0x12, 0x15, 0x1A, 0x28, 0x2A, 0x2E, 0x2F, 0x35, 0x41, 0x42, 0x89, 0x8B, 0x93, 0x9E, 0xA0, 0xA3];
        var bytes = new List<byte>();
        for (var i = 0; i < 40; i++)
        {
            var pdu = new byte[Bhs.SizeBytes];
            random.NextBytes(pdu);
            pdu[0] = (byte)(opcodes[random.Next(opcodes.Length)] | 0x40);
            pdu[4] = (byte)(random.Next(10) == 0 ? random.Next(8) : 0);
            var dataBytes = random.Next(3) == 0 ? random.Next(2048) : 0;
            pdu[5] = (byte)(random.Next(200) == 0 ? 255 : 0);
            pdu[6] = (byte)(dataBytes >> 8);
            pdu[7] = (byte)dataBytes;
            pdu.AsSpan(8, 8).Clear();
            pdu.AsSpan(16, 3).Clear(); // Few tags, so that they meet.
            pdu[19] &= 7;
            if (random.Next(2) == 0) pdu.AsSpan(20, 2).Clear();
            // Resets disturb others by right: only aborts are tried.
            if ((pdu[0] & 0x3F) == 2) pdu[1] = (byte)(0x80 | (random.Next(2) == 0 ? random.Next(1, 3) : random.Next(8, 128)));
            if ((pdu[0] & 0x3F) == 1)
            {
                pdu[32] = commands[random.Next(commands.Length)];
                pdu.AsSpan(34, 6).Clear();
                // The witness's block is near the end: damage stays before it.
                pdu[39] = (byte)random.Next(256);
                if (random.Next(2) == 0) pdu.AsSpan(40, 6).Clear();
                pdu[33] = (byte)random.Next(32);
                if (pdu[32] is 0x41 or 0x42 or 0x93) pdu[32] = 0x35;
            }
            bytes.AddRange(pdu);
            bytes.AddRange(new byte[dataBytes + (pdu[4] * 4) + Bhs.Padding(dataBytes)]);
        }
        TrySend(hostile, [.. bytes]);
    }

    static void TrySend(Initiator hostile, byte[] bytes)
    {
        try
        {
            hostile.SendRaw(bytes);
            hostile.EndInput();
            hostile.IsClosed();
        }
        catch (SocketException)
        {
            // Cut off: just what is right.
        }
    }

    /// <summary>A fuzzed session must not find a bug: those are reported as failures of our own.</summary>
    void MustBeCalm() => Assert.DoesNotContain(target.Reports, line =>
        line.Contains("of our own", StringComparison.Ordinal) || line.Contains("failed:", StringComparison.Ordinal));
}
