using Ashlar.Simulation;
using Ashlar.Storage;
using static Ashlar.Files.Tests.Nodes.NodeExtensions;

namespace Ashlar.Files.Tests.Nodes;

/// <summary>The bytes of <c>docs/formats/file-node.md</c>.</summary>
public sealed class NodeFormatTests
{
    const string Root = "/node";

    [Fact]
    public void The_record_of_a_node_has_these_bytes()
    {
        var record = new NodeRecord(new NodeId(0x1122334455667788), 0x99AABBCCDDEEFF00, 1_767_225_600_000, NodeRecord.AtBlocks);
        AssertBytes(
            "4153484C4E4F4445" + "01000000" + "01000000" + "8877665544332211" + "00FFEEDDCCBBAA99" + "00A8DA769B010000" + Zeros(84)
            + "????????",
            record.Encode());
    }

    [Fact]
    public async Task A_block_and_the_age_of_the_trash_have_these_bytes()
    {
        var (disk, clock) = (new SimulatedFileSystem(isRecording: false), new SimulatedClock());
        DirectoryNode.Create(disk, Root, new SeededEntropy(1), clock);
        var options = new DirectoryNodeOptions { ReserveBytes = 0 };
        await using var node = DirectoryNode.Open(disk, Root, null, options, clock, new FixedEntropy());
        var content = "abc"u8.ToArray();
        const string hash = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        await node.PutAsync(content, generation: 0xAB);
        AssertBytes(
            "616263" + "B73F4B36"
            + "4153484C424C434B" + "01000000" + "03000000" + hash.ToUpperInvariant() + "AB00000000000000" + "0700000000000000"
            + "00000100" + "01000000" + "00A8DA769B010000" + "0102030405060708" + Zeros(36) + "????????",
            Read(disk, $"{Root}/blocks/b/a/{hash}.00000000000000ab.0000000000000007"));
        clock.Advance(TimeSpan.FromMilliseconds(0x1234));
        await node.RemoveAsync(NameOf(content, 0xAB), default);
        await node.PurgeAsync(1, default);
        Assert.Equal([$"0000000000001234-{hash}.00000000000000ab.0000000000000007", "age"], disk.List($"{Root}/trash"));
        AssertBytes("4153484C54414745" + "3412000000000000" + "00000000" + "????????", Read(disk, $"{Root}/trash/age"));
    }

    sealed class FixedEntropy : IEntropySource
    {
        public void Fill(Span<byte> destination)
        {
            for (var i = 0; i < destination.Length; i++) destination[i] = (byte)(i + 1);
        }
    }

    static string Zeros(int count) => new('0', 2 * count);

    static byte[] Read(SimulatedFileSystem disk, string path)
    {
        using var file = disk.Open(path, FileOpenMode.ReadOnly);
        return file.ReadWhole();
    }

    // The last four are a checksum of what is before.
    static void AssertBytes(string expected, byte[] bytes)
    {
        Assert.Equal(expected[..^8], Convert.ToHexString(bytes)[..^8]);
        var start = bytes.Length > 128 && bytes[0] == (byte)'a' ? 3 : 0;
        Assert.Equal(Crc32C.Compute(bytes.AsSpan(start..^4)), BitConverter.ToUInt32(bytes.AsSpan(bytes.Length - 4)));
    }
}
