using System.Text;

namespace Ashlar.Files.Tests;

public sealed class FilePathTests
{
    [Theory]
    [InlineData("/", "/", "", "/")]
    [InlineData("/a", "/", "a", "/a")]
    [InlineData("/a/b.c/...", "/a/b.c", "...", "/a")]
    [InlineData("/\u00e9/\U0001F600", "/\u00e9", "\U0001F600", "/\u00e9")]
    public void A_path_has_parts(string text, string parent, string name, string bucket)
    {
        var path = FilePath.Parse(text);
        Assert.Equal((text, parent, name, bucket), (path.ToString(), path.Parent.ToString(), path.Name, path.Bucket.ToString()));
        Assert.Equal(path, FilePath.Parse(Encoding.UTF8.GetBytes(text)));
        Assert.Equal(text == "/", path.IsRoot);
        Assert.Equal(path.GetHashCode(), FilePath.Parse(text).GetHashCode());
    }

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("a/b")]
    [InlineData("//")]
    [InlineData("/a/")]
    [InlineData("/a//b")]
    [InlineData("/.")]
    [InlineData("/a/../b")]
    [InlineData("/a/./b")]
    [InlineData("/..")]
    [InlineData("/a\0b")]
    public void What_no_file_can_be_called_is_refused(string text) => Assert.Throws<InvalidPathException>(() => FilePath.Parse(text));

    [Fact]
    public void Half_a_surrogate_pair_is_refused() => Assert.Throws<InvalidPathException>(() => FilePath.Parse("/\ud800"));

    [Fact]
    public void Bytes_that_are_no_utf8_are_refused()
    {
        byte[][] wrong = [[0x2f, 0xff], [0x2f, 0xc3], [0x2f, 0xc0, 0xaf], [0x2f, 0xed, 0xa0, 0x80], [0x2f, 0xf5, 0x80, 0x80, 0x80]];
        foreach (var bytes in wrong) Assert.Throws<InvalidPathException>(() => FilePath.Parse(bytes));
    }

    [Theory]
    [InlineData("/a/e\u0301", "c3a9")]
    [InlineData("/e\u0301/a", "c3a9")]
    [InlineData("/x\u212b", "78c385")]
    public void Names_that_look_like_others_are_refused_with_the_bytes_that_are_not(string text, string bytes)
    {
        Assert.Contains(bytes, Assert.Throws<InvalidPathException>(() => FilePath.Parse(text)).Problem, StringComparison.Ordinal);
        Assert.Throws<InvalidPathException>(() => FilePath.Parse(Encoding.UTF8.GetBytes(text)));
    }

    [Fact]
    public void Lengths_are_bounded()
    {
        var component = "/" + new string('x', FilePath.MaxComponentBytes);
        Assert.Equal(component, FilePath.Parse(component).ToString());
        Assert.Throws<InvalidPathException>(() => FilePath.Parse(component + "x"));
        var longest = string.Concat(Enumerable.Repeat(component, 4));
        Assert.Equal(FilePath.MaxBytes, longest.Length);
        Assert.Equal(longest, FilePath.Parse(longest).ToString());
        Assert.Throws<InvalidPathException>(() => FilePath.Parse(longest + "/x"));
        Assert.Throws<InvalidPathException>(() => FilePath.Parse("/" + new string('\u00e9', 128)));
        Assert.Throws<InvalidPathException>(() => FilePath.Parse("/" + new string('x', 10_000)));
    }

    [Fact]
    public void Paths_sort_by_their_bytes()
    {
        string[] ordered = ["/", "/A", "/a", "/a-b", "/a/b", "/a0", "/\u00e9", "/\uffee", "/\U0001F600"];
        var paths = ordered.Select(FilePath.Parse).ToArray();
        Assert.Equal(paths, paths.Reverse().Order());
        Assert.True(paths[0] < paths[1] && paths[1] > paths[0] && paths[1] <= paths[2] && paths[2] >= paths[1] && paths[1] != paths[2]);
    }
}
