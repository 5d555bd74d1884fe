using System.Text.Json;
using Ashlar.Blocks.Devices;
using Ashlar.Simulation;
using Ashlar.Storage;
using Xunit.Abstractions;

namespace Ashlar.Blocks.Tests.Devices;

/// <summary>
/// Header, counters and states of a device file that are in each other's places, doubled, gone, or of another device: it does not open,
/// and says where it is damaged. Its data has no checksums.
/// </summary>
public sealed class MisplacedSectorTests(ITestOutputHelper output)
{
    const int SectorBytes = 512, Blocks = 40_000;

    [Fact]
    public void A_device_file_with_a_sector_that_is_not_its_own_is_refused()
    {
        var (disk, other) = (Create(1), Create(2));
        using var file = disk.Open("/disk", FileOpenMode.Existing);
        using var foreign = other.Open("/disk", FileOpenMode.ReadOnly);
        var sectors = Enumerable.Range(0, 64).Where(sector => Read(file, sector).AsSpan().ContainsAnyExcept((byte)0)).ToArray();
        Assert.InRange(sectors.Length, 12, 63);
        var cases = 0;
        foreach (var a in sectors)
        {
            Refused([(a, new byte[SectorBytes])]);
            Refused([(a, Read(foreign, a))], isHeader: a == sectors[0]);
            foreach (var b in sectors.Where(b => b != a))
            {
                Refused([(b, Read(file, a))]);
                if (a < b) Refused([(a, Read(file, b)), (b, Read(file, a))]);
            }
        }

        Assert.True(cases >= sectors.Length * sectors.Length, $"only {cases} cases");
        DeviceFile.Open(disk, "/disk").DisposeAsync().AsTask().GetAwaiter().GetResult(); // It is whole again.
        output.WriteLine(JsonSerializer.Serialize(new { line = "misplaced sectors of a device file", cases, failures = 0 }));

        void Refused((int Sector, byte[] Content)[] changes, bool isHeader = false)
        {
            cases++;
            var before = changes.Select(change => Read(file, change.Sector)).ToArray();
            foreach (var (sector, content) in changes) file.Write(content, sector * SectorBytes);
            var refusal = Record.Exception(() => DeviceFile.Open(disk, "/disk"));
            Assert.True(refusal is AshlarException, $"Sector {changes[0].Sector} was changed, and that is not noticed.");
            if (refusal is CorruptDataException damage && !isHeader)
                Assert.Contains(changes, change => damage.OffsetBytes / SectorBytes == change.Sector);
            for (var i = 0; i < changes.Length; i++) file.Write(before[i], changes[i].Sector * SectorBytes);
        }
    }

    static SimulatedFileSystem Create(ulong seed)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        var device = DeviceFile.Create(disk, "/disk", new SeededEntropy(seed), Blocks, SectorBytes);
        // Each page of the states says something of its own.
        for (var block = 0; block < Blocks; block += 97 + (block / 500))
            device.WriteAsync(new Lba(block), new byte[SectorBytes]).AsTask().GetAwaiter().GetResult();
        // Counters of a device that nobody ever read from begin as the first page does.
        device.ReadAsync(Lba.Zero, new byte[SectorBytes]).AsTask().GetAwaiter().GetResult();
        device.DisposeAsync().AsTask().GetAwaiter().GetResult();
        return disk;
    }

    static byte[] Read(IFile file, int sector)
    {
        var data = new byte[SectorBytes];
        file.Read(data, sector * SectorBytes);
        return data;
    }
}
