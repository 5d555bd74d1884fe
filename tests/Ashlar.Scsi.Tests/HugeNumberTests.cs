using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using Ashlar.Blocks;
using Ashlar.Simulation;
using Xunit.Abstractions;

namespace Ashlar.Scsi.Tests;

/// <summary>
/// A huge number in each field of each command and its parameters: the command is refused or does what it can, and nothing is allocated by
/// what is only claimed. The fields come from the table of commands, so a new one is among them.
/// </summary>
public sealed class HugeNumberTests(ITestOutputHelper output)
{
    const int MostData = 4096;
    const long MostGarbage = 64 << 10;
    const long BlockCount = 256;

    readonly TestUnit unit = new(new ScriptedDevice(BlockCount)
    {
        IsForgetful = true,
        GeometryOverride = new BlockGeometry(512, BlockCount, 512) { MaxAtomicWriteBytes = 64 << 10 },
    });
    readonly ScsiCommand command = new();
    readonly byte[] lun = new byte[8];
    readonly byte[] dataIn = new byte[MostData];

    [Fact]
    public void In_the_descriptor_block()
    {
        var (fields, cases, refused, mostGarbage) = (0, 0, 0, 0L);
        foreach (var description in CommandTable.AllOf(unit.Unit))
        {
            foreach (var (offset, width) in FieldsOf(description.UsageMask))
            {
                fields++;
                foreach (var number in HugeNumbers.OfBytes(width))
                {
                    var cdb = CdbOf(description);
                    HugeNumbers.Write(cdb.AsSpan(offset, width), number);
                    var (result, garbage) = Run(cdb, new byte[MostData]);
                    var place = $"{description.Name}, bytes {offset}+{width} = {number}";
                    Assert.True(garbage <= MostGarbage, $"{place}: {garbage} bytes of garbage");
                    MustBeTyped(description, result);
                    if (result.Status != ScsiStatus.Good) refused++;
                    (cases, mostGarbage) = (cases + 1, Math.Max(mostGarbage, garbage));
                }
            }
        }

        Assert.InRange(fields, 50, cases);
        Assert.InRange(refused, cases / 4, cases);
        Others();
        output.WriteLine(JsonSerializer.Serialize(
            new { line = "huge lengths (scsi)", kind = "descriptor blocks", fields, cases, refused, mostGarbage, failures = 0 }));
    }

    /// <summary>An address with a count is beyond the end, wherever the two stand.</summary>
    [Fact]
    public void An_address_beyond_the_end_is_out_of_range_and_never_wraps()
    {
        foreach (var description in CommandTable.AllOf(unit.Unit))
        {
            foreach (var (offset, width) in FieldsOf(description.UsageMask).Where(field => IsAddress(description, field)))
            {
                foreach (var number in HugeNumbers.OfBytes(width).Where(number => number >= BlockCount))
                {
                    var cdb = CdbOf(description);
                    HugeNumbers.Write(cdb.AsSpan(offset, width), number);
                    Assert.Equal(AdditionalSense.LbaOutOfRange, Run(cdb, new byte[MostData]).Result.Sense.Additional);
                }
            }
        }
    }

    [Fact]
    public void In_the_parameters_of_a_command()
    {
        unit.Fill(0, (int)BlockCount, 1); // Else the device takes memory for its first block.
        var (windows, cases, mostGarbage) = (0, 0, 0L);
        foreach (var description in CommandTable.AllOf(unit.Unit).Where(one => one.Direction == DataDirection.Out))
        {
            foreach (var width in new[] { 1, 2, 4, 8 })
            {
                for (var offset = 0; offset + width <= 64; offset += width)
                {
                    windows++;
                    foreach (var number in HugeNumbers.OfBytes(width))
                    {
                        var parameters = ParametersOf(description);
                        HugeNumbers.Write(parameters.AsSpan(offset, width), number);
                        var (result, garbage) = Run(CdbOf(description), parameters);
                        Assert.True(garbage <= MostGarbage, $"{description.Name}, parameters {offset}+{width} = {number}: {garbage} bytes");
                        MustBeTyped(description, result);
                        (cases, mostGarbage) = (cases + 1, Math.Max(mostGarbage, garbage));
                    }
                }
            }
        }

        Assert.InRange(windows, 500, cases);
        Others();
        output.WriteLine(JsonSerializer.Serialize(
            new { line = "huge lengths (scsi)", kind = "parameters", fields = windows, cases, mostGarbage, failures = 0 }));
    }

    // Bytes that are evaluated whole and follow one another are one number; a single one is too.
    static IEnumerable<(int Offset, int Width)> FieldsOf(byte[] mask)
    {
        for (var i = 1; i < mask.Length; i++)
        {
            if (mask[i] != 0xFF) continue;
            var end = i;
            while (end < mask.Length && mask[end] == 0xFF) end++;
            // Address and count stand side by side where nothing is between them.
            var width = end - i;
            var parts = width switch
            {
                12 => [8, 4],
                9 => [4, 5],
                8 when mask.Length == 12 => [4, 4],
                7 => [1, 2, 4],
                _ => new[] { width },
            };
            foreach (var part in parts)
            {
                yield return (i, Math.Min(part, 8));
                i += part;
            }
        }
    }

    // An 8-byte field in a block of 16, and a 4-byte one in those of 10 and 12, is the address of the commands that have one.
    static bool IsAddress(CommandDescription description, (int Offset, int Width) field) =>
        field.Offset == 2 && field.Width == (description.UsageMask.Length == 16 ? 8 : 4)
        && description.OperationCode is not (0x25 or 0xA3 or 0x9E or 0xA0 or 0xB7);

    static byte[] CdbOf(CommandDescription description)
    {
        var cdb = new byte[ScsiCommand.MaxCdbBytes];
        cdb[0] = description.OperationCode;
        if (description.ServiceAction >= 0) cdb[1] = (byte)description.ServiceAction;
        // Lists of parameters have their length; transfers a block.
        switch (description.Name)
        {
            case "UNMAP" or "MODE SELECT(10)": cdb[8] = 64; break;
            case "MODE SELECT(6)": cdb[4] = 64; break;
            case "COMPARE AND WRITE": cdb[13] = 1; break;
            case "EXTENDED COPY(LID1)": cdb[13] = 16 + (2 * 32) + 28; break;
            default:
                if (description.UsageMask.Length == 10) cdb[8] = 1;
                if (description.UsageMask.Length == 12) cdb[9] = 1;
                if (description.UsageMask.Length == 16) cdb[13] = 1;
                break;
        }
        return cdb;
    }

    static byte[] ParametersOf(CommandDescription description)
    {
        var parameters = new byte[MostData];
        if (description.Name == "EXTENDED COPY(LID1)")
        {
            // Two targets, and a segment between two that are not there.
            (parameters[3], parameters[11], parameters[16], parameters[48]) = (64, 28, 0xE4, 0xE4);
            (parameters[80], parameters[83], parameters[85], parameters[87]) = (2, 24, 7, 7);
        }
        if (description.Name != "UNMAP") return parameters;
        (parameters[1], parameters[3]) = (62, 48); // Three descriptors of a block each.
        for (var i = 0; i < 3; i++) (parameters[15 + (16 * i)], parameters[19 + (16 * i)]) = ((byte)i, 1);
        return parameters;
    }

    static void MustBeTyped(CommandDescription description, in ScsiResult result)
    {
        if (result.Status == ScsiStatus.Good) return;
        Assert.True(
            result.Status == ScsiStatus.CheckCondition
            && result.Sense.Key is SenseKey.IllegalRequest or SenseKey.Miscompare or SenseKey.CopyAborted,
            $"{description.Name}: {result.Status} {result.Sense.Key}");
    }

    [SuppressMessage(
        "Reliability", "CA2012", Justification = "What is measured is what this thread allocates: it must not be another one.")]
    (ScsiResult Result, long Garbage) Run(byte[] cdb, byte[] parameters)
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        unit.Nexus.Begin(command, lun, cdb);
        var result = command.Refusal;
        if (!command.IsRefused)
        {
            var bytes = (int)Math.Min(command.DataBytes, MostData);
            var pending = command.ReadsMedium
                ? bytes == 0 ? new(ScsiResult.Good) : command.ReadAsync(0, dataIn.AsMemory(0, bytes))
                : command.ExecuteAsync(parameters.AsMemory(0, command.Direction == DataDirection.Out ? bytes : 0));
            Assert.True(pending.IsCompleted, "the command waits for nothing that this device does");
            result = pending.GetAwaiter().GetResult();
            Assert.True(result.DataIn.Length <= Math.Max(command.DataBytes, 0), "more is answered than there is room for");
        }
        return (result, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    void Others() => Assert.Equal(512, unit.Read(0, 1).Length);
}
