using System.Text;
using Ashlar.Simulation;
using Ashlar.Storage;

namespace Ashlar.Server.Tests.Data;

public sealed class FormatFileTests
{
    static readonly FormatFile Example = new(
        Guid.Parse("0f8fad5b-d9cb-469f-a165-70867728950e"), new DateTimeOffset(2026, 11, 21, 0, 30, 0, TimeSpan.Zero));

    [Fact]
    public void Its_bytes_are_these() => Assert.Equal(
        """
        ashlar data directory
        version 1
        id 0f8fad5b-d9cb-469f-a165-70867728950e
        created 2026-11-21T00:30:00Z
        crc32c a6226fb9

        """,
        Encoding.ASCII.GetString(Example.ToBytes()));

    [Fact]
    public void What_was_written_is_read() => Assert.Equal(Example, Read(Example.ToBytes()));

    [Theory]
    [InlineData("ashlar data directory\nversion 2\n", "version 2")]
    [InlineData("ashlar data directory\nversion 10\nid x\n", "version 10")]
    [InlineData("something else\nversion 1\n", "not the FORMAT file of an Ashlar data directory")]
    [InlineData("", "not the FORMAT file of an Ashlar data directory")]
    public void Another_version_and_another_product_are_named(string text, string problem) =>
        Assert.Contains(problem, Assert.Throws<UnsupportedFormatException>(() => Read(Encoding.ASCII.GetBytes(text))).Message, StringComparison.Ordinal);

    [Fact]
    public void No_changed_bit_goes_unnoticed()
    {
        var bytes = Example.ToBytes();
        for (var bit = 0; bit < bytes.Length * 8; bit++)
        {
            var damaged = bytes.ToArray();
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            var error = Record.Exception(() => Read(damaged));
            Assert.True(error is CorruptDataException or UnsupportedFormatException, $"bit {bit}: {error}");
        }
    }

    [Fact]
    public void No_shorter_or_longer_file_is_taken()
    {
        var bytes = Example.ToBytes();
        for (var length = 0; length < bytes.Length; length++)
            Assert.ThrowsAny<AshlarException>(() => Read(bytes[..length]));
        Assert.ThrowsAny<AshlarException>(() => Read([.. bytes, (byte)'\n']));
    }

    static FormatFile Read(byte[] bytes)
    {
        var disk = new SimulatedFileSystem(isRecording: false);
        using var file = disk.Open("/FORMAT", FileOpenMode.CreateNew);
        file.Write(bytes, 0);
        return FormatFile.Read(file);
    }
}
