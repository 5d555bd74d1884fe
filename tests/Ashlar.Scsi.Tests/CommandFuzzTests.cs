using Ashlar.Simulation;
using Ashlar.TestKit;
using Xunit.Abstractions;

namespace Ashlar.Scsi.Tests;

/// <summary>Any 16 bytes are a command: it is done or refused, and costs no memory by what it claims to move.</summary>
public sealed class CommandFuzzTests(ITestOutputHelper output)
{
    const int MostData = 64 << 10;

    static readonly int Inputs = TestTier.Choose(50_000, 2_000_000);

    [Fact]
    public void No_command_throws_or_allocates_by_lengths_that_it_claims()
    {
        var unit = new TestUnit(new ScriptedDevice(blockCount: 256) { IsForgetful = true });
        var command = new ScsiCommand();
        var lun = new byte[8];
        var (dataOut, dataIn) = (new byte[MostData], new byte[MostData]);
        new SeededRandom(1).Fill(dataOut);

        bool Run(byte[] message)
        {
            var cdb = new byte[ScsiCommand.MaxCdbBytes];
            message.AsSpan(0, Math.Min(message.Length, cdb.Length)).CopyTo(cdb);
            unit.Nexus.Begin(command, lun, cdb);
            if (command.IsRefused) return false;
            var bytes = (int)Math.Min(command.DataBytes, MostData);
            if (command.ReadsMedium)
            {
                if (bytes > 0) Finish(command.ReadAsync(0, dataIn.AsMemory(0, bytes)));
                return true;
            }
            var result = Finish(command.ExecuteAsync(dataOut.AsMemory(0, command.Direction == DataDirection.Out ? bytes : 0)));
            Assert.True(result.DataIn.Length <= Math.Max(command.DataBytes, 0), "more is answered than there is room for");
            return result.Status == ScsiStatus.Good;
        }

        var seed = TestSeeds.First(nameof(CommandFuzzTests));
        var result = ParserFuzz.Run(Corpus(), Inputs, seed, allowedBytes: 512 << 10, Run);
        Assert.InRange(result.Accepted, Inputs / 20, Inputs * 19 / 20);
        output.WriteLine(result.ToJson("scsi commands", seed));
    }

    static ScsiResult Finish(ValueTask<ScsiResult> pending)
    {
        Assert.True(pending.IsCompleted, "the command waits for nothing that this device does");
        return pending.GetAwaiter().GetResult();
    }

    // One of each kind that is good with the data above.
    static List<byte[]> Corpus()
    {
        byte[] Padded(params byte[] cdb) => [.. cdb, .. new byte[ScsiCommand.MaxCdbBytes - cdb.Length]];
        return
        [
            Padded(0x00), Padded(0x12, 0, 0, 0, 96), Padded(0x12, 1, 0xB0, 0, 64), Padded(0x12, 1, 0x83, 0, 255),
            Padded(0x1A, 0, 0x3F, 0, 255),
            Padded(0x5A, 0, 0x3F, 0, 0, 0, 0, 1, 0), Padded(0x25), Padded(0x03, 0, 0, 0, 252), Padded(0x08, 0, 0, 1, 2),
            Padded(TestUnit.Cdb10(0x28, 1, 2)), Padded(TestUnit.Cdb10(0x2A, 1, 2)), Padded(TestUnit.Cdb10(0x2F, 1, 2)),
            Padded(TestUnit.Cdb10(0x35, 1, 2)), Padded(TestUnit.Cdb10(0x41, 1, 2)), Padded(TestUnit.Cdb12(0xA8, 1, 2)),
            Padded(TestUnit.Cdb12(0xAA, 1, 2)), TestUnit.Cdb16(0x88, 1, 2), TestUnit.Cdb16(0x8A, 1, 2), TestUnit.Cdb16(0x8B, 1, 2),
            TestUnit.Cdb16(0x91, 1, 2), TestUnit.Cdb16(0x93, 1, 2), TestUnit.Cdb16(0x9E, 0, 32, flags: 0x10),
            TestUnit.Cdb16(0x9E, 1, 4096, flags: 0x12),
            Padded(0xA0, 0, 0, 0, 0, 0, 0, 0, 1, 0), Padded(0xA3, 0x0C, 0, 0, 0, 0, 0, 0, 64, 0), Padded(0x42),
        ];
    }
}
