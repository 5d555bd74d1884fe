using System.Text;
using System.Xml;
using System.Xml.Linq;
using Ashlar.TestKit;
using Microsoft.AspNetCore.Http;

namespace Ashlar.S3.Tests.Xml;

/// <summary>Answers are XML that any reader takes, whatever is in them.</summary>
public sealed class XmlAnswerTests
{
    static readonly XNamespace S3 = "http://s3.amazonaws.com/doc/2006-03-01/";

    [Fact]
    public async Task What_is_written_is_what_it_was()
    {
        using var answer = new XmlAnswer("ListBucketResult");
        answer.Text("Name", "bucket").Text("Absent", null).Key("Prefix", "").Text("MaxKeys", long.MinValue).Text("IsTruncated", true)
            .Time("LastModified", new(2026, 11, 30, 1, 2, 3, 45, TimeSpan.FromHours(2))).Tag("a\"b<")
            .Element("Contents", contents => contents.Begin("Inner").Text("Key", "x").End("Inner"))
            .Typed("Grantee", "CanonicalUser", grantee => grantee.Text("ID", "me")).Owner("me").Raw("<Raw>1</Raw>");
        var text = await SendAsync(answer);
        Assert.Equal(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>"
            + "<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"><Name>bucket</Name>"
            + "<Prefix></Prefix><MaxKeys>-9223372036854775808</MaxKeys><IsTruncated>true</IsTruncated>"
            + "<LastModified>2026-11-29T23:02:03.045Z</LastModified><ETag>\"a\"b&lt;\"</ETag>"
            + "<Contents><Inner><Key>x</Key></Inner></Contents>"
            + "<Grantee xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:type=\"CanonicalUser\"><ID>me</ID></Grantee>"
            + "<Owner><ID>me</ID><DisplayName>me</DisplayName></Owner><Raw>1</Raw></ListBucketResult>",
            text);
        Assert.Equal("bucket", Parse(text).Element(S3 + "Name")!.Value);
    }

    [Fact]
    public async Task Every_character_comes_back()
    {
        var all = new StringBuilder();
        for (var code = 0; code <= char.MaxValue; code++)
            if (!char.IsSurrogate((char)code)) all.Append((char)code);
        var value = all.Append("\U0001F600\U0010FFFF").ToString();
        using var answer = new XmlAnswer("Root", hasNamespace: false);
        var root = Parse(await SendAsync(answer.Text("Value", value).Text("Behind", "]]><x>&amp;")));
        Assert.Equal(value, root.Element("Value")!.Value);
        Assert.Equal("]]><x>&amp;", root.Element("Behind")!.Value);
    }

    [Theory, Seeds(count: 3)]
    public async Task Text_of_any_length_stays_apart_from_what_is_beside_it(ulong seed)
    {
        var random = new Simulation.SeededRandom(seed);
        var values = Enumerable.Range(0, 500).Select(_ => new string(
            [.. Enumerable.Range(0, random.Next(300)).Select(_ => "ab<>&\r\n\t\u0001\u00E4\u20AC"[random.Next(11)])])).ToArray();
        using var answer = new XmlAnswer("Root", encodesKeys: true, hasNamespace: false);
        foreach (var value in values) answer.Text("Value", value).Key("Key", value);
        var text = await SendAsync(answer);
        Assert.Equal(values, Parse(text).Elements("Value").Select(static each => each.Value));
        Assert.Equal(values, Parse(text).Elements("Key").Select(static each => Uri.UnescapeDataString(each.Value)));
    }

    static async Task<string> SendAsync(XmlAnswer answer)
    {
        var http = new DefaultHttpContext();
        var body = new MemoryStream();
        http.Response.Body = body;
        await answer.SendAsync(http);
        Assert.Equal((body.Length, "application/xml"), (http.Response.ContentLength, http.Response.ContentType));
        return Encoding.UTF8.GetString(body.ToArray());
    }

    static XElement Parse(string text)
    {
        using var reader = XmlReader.Create(new StringReader(text), new() { CheckCharacters = false });
        return XDocument.Load(reader).Root!;
    }
}
