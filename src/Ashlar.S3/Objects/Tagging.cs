using System.Xml.Linq;

namespace Ashlar.S3;

/// <summary>Tags of objects and buckets, kept as they come in a header: NAME=VALUE, encoded, with an ampersand between two.</summary>
static class Tagging
{
    public const string Header = "x-amz-tagging";
    public const string Property = "x-amz-tagging";
    public const int MaxOfObject = 10, MaxOfBucket = 50, MaxXmlBytes = 64 << 10;

    const int MaxNameLength = 128, MaxValueLength = 256;

    /// <summary>Reads a header into the form in which tags are kept.</summary>
    /// <exception cref="S3Exception">It is not valid.</exception>
    public static string ParseHeader(string text) => Format(Split(text, checks: true), MaxOfObject);

    /// <summary>Reads XML into the form in which tags are kept.</summary>
    /// <exception cref="S3Exception">It is not valid.</exception>
    public static string ParseXml(XElement tagging, int maxTags)
    {
        tagging.AllowOnly("TagSet");
        var sets = tagging.All("TagSet").ToArray();
        if (sets.Length != 1) throw S3Error.MalformedXml.Exception();
        sets[0].AllowOnly("Tag");
        return Format(sets[0].All("Tag").Select(tag => (tag.Need("Key"), tag.Need("Value"))), maxTags);
    }

    public static IReadOnlyList<(string Name, string Value)> Read(string property) => Split(property, checks: false);

    public static void Write(XmlAnswer answer, string? property) => answer.Element("TagSet", set =>
    {
        foreach (var (name, value) in Read(property ?? "")) set.Element("Tag", tag => tag.Text("Key", name).Text("Value", value));
    });

    static List<(string Name, string Value)> Split(string text, bool checks)
    {
        var tags = new List<(string, string)>();
        foreach (var part in text.Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            var (name, value) = equals < 0 ? (part, "") : (part[..equals], part[(equals + 1)..]);
            if (checks && tags.Count > MaxOfObject) break;
            tags.Add((Decode(name), Decode(value)));
        }

        return tags;
    }

    static string Decode(string text) => System.Text.Encoding.UTF8.GetString(
        UriText.Decode(text, plusIsSpace: true) ?? throw S3Error.InvalidTag.Because("A tag is not encoded as it has to be."));

    static string Format(IEnumerable<(string Name, string Value)> tags, int maxTags)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        var texts = new List<string>();
        foreach (var (name, value) in tags)
        {
            if (name.Length is 0 or > MaxNameLength || value.Length > MaxValueLength)
                throw S3Error.InvalidTag.Because("A tag is empty or too long.");
            if (name.StartsWith("aws:", StringComparison.Ordinal))
                throw S3Error.InvalidTag.Because("Names of tags that begin with aws: are not for users.");
            if (!names.Add(name)) throw S3Error.InvalidTag.Because("Two tags have one name.");
            if (names.Count > maxTags) throw new S3Exception(new("BadRequest", 400, ""), $"There are more than {maxTags} tags.");
            texts.Add($"{UriText.Encode(name)}={UriText.Encode(value)}");
        }

        return string.Join('&', texts);
    }
}
