using System.Text;
using System.Xml.Linq;

namespace Ashlar.S3.Tests;

/// <summary>An answer as it came.</summary>
sealed record RawResponse(int Status, IReadOnlyList<(string Name, string Value)> Headers, byte[] Body)
{
    public string Text => Encoding.UTF8.GetString(Body);

    public XElement Xml => XElement.Parse(Text);

    /// <summary>The code of an error; empty if the answer is none.</summary>
    public string Code => Status >= 300 && Body.Length > 0 && Text.Contains(
        "<Error>", StringComparison.Ordinal) ? Xml.Element("Code")!.Value : "";

    public string? Header(string name) =>
        Headers.Where(header => header.Name.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(
            header => header.Value).FirstOrDefault();

    /// <summary>Values of all elements of a name, wherever they are.</summary>
    public string[] All(string name) =>
        [.. Xml.Descendants().Where(element => element.Name.LocalName == name).Select(element => element.Value)];

    public string One(string name) => Assert.Single(All(name));

    public RawResponse Must(int status)
    {
        Assert.True(Status == status, $"{status} was expected: {this}");
        return this;
    }

    public RawResponse MustFail(int status, string code)
    {
        Assert.True(Status == status && Code == code, $"{status} {code} was expected: {this}");
        return this;
    }

    public override string ToString() =>
        $"{Status} {string.Join("; ", Headers.Select(header => $"{header.Name}: {header.Value}"))}\n{Text}";
}
