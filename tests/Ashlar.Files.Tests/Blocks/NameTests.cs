namespace Ashlar.Files.Tests;

public sealed class NameTests
{
    [Fact]
    public void A_hash_is_the_sha256_of_the_content()
    {
        var hash = ContentHash.Of("abc"u8);
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", hash.ToString());
        Assert.Equal(hash, new ContentHash(hash.ToArray()));
        Assert.True(ContentHash.TryParse(hash.ToString().ToUpperInvariant(), out var parsed));
        Assert.Equal(hash, parsed);
    }

    [Fact]
    public void Hashes_sort_as_their_bytes_do()
    {
        var bytes = new byte[ContentHash.SizeBytes];
        for (var i = 0; i < bytes.Length; i++)
        {
            var lower = new ContentHash(bytes);
            bytes[i] = 0x80;
            var higher = new ContentHash(bytes);
            Assert.True(lower < higher && higher > lower && lower <= higher && higher >= lower);
            bytes[i] = 0;
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("ba7816bf")]
    [InlineData("ga7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")]
    [InlineData("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad00")]
    public void What_is_no_hash_is_told(string text)
    {
        Assert.False(ContentHash.TryParse(text, out _));
        Assert.Throws<ArgumentException>(() => new ContentHash(new byte[text.Length]));
    }

    [Fact]
    public void Names_are_read_as_they_are_written()
    {
        var name = new BlockName(ContentHash.Of("abc"u8), 0xfedcba9876543210);
        Assert.Equal("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad.fedcba9876543210", name.ToString());
        Assert.True(BlockName.TryParse(name.ToString(), out var parsed));
        Assert.Equal(name, parsed);
        Assert.False(BlockName.TryParse(name.ToString().Replace('.', '-'), out _));
        Assert.False(BlockName.TryParse(name.ToString()[..^1], out _));
        Assert.False(BlockName.TryParse($"{name.Hash}. edcba9876543210", out _));
        Assert.True(name < name with { Generation = ulong.MaxValue } && name > name with { Generation = 0 });

        Assert.True(NodeId.TryParse("00000000000000ff", out var node));
        Assert.Equal(new NodeId(255), node);
        Assert.Equal("00000000000000ff", node.ToString());
        Assert.False(NodeId.TryParse("ff", out _));
        Assert.True(node < new NodeId(256) && node >= new NodeId(255));
    }
}
