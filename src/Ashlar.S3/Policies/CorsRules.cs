using System.Xml.Linq;

namespace Ashlar.S3;

/// <summary>What browsers may ask a bucket for on behalf of pages of other origins.</summary>
sealed class CorsRules
{
    public const string Property = "s3-cors";
    public const int MaxXmlBytes = 64 << 10;

    const int MaxRules = 100;

    static readonly string[] Methods = ["GET", "PUT", "HEAD", "POST", "DELETE"];

    readonly List<Rule> rules = [];

    CorsRules(string xml) => Xml = xml;

    /// <summary>The configuration, as it is kept and answered.</summary>
    public string Xml { get; }

    /// <summary>Reads a configuration.</summary>
    /// <exception cref="S3Exception">It is not valid.</exception>
    public static CorsRules Parse(XElement configuration)
    {
        configuration.AllowOnly("CORSRule");
        var rules = configuration.All("CORSRule").Select(ParseRule).ToList();
        if (rules.Count is 0 or > MaxRules) throw S3Error.MalformedXml.Because($"There is no rule, or more than {MaxRules}.");
        var kept = new CorsRules(string.Concat(rules.Select(rule => rule.ToXml().ToString(SaveOptions.DisableFormatting))));
        kept.rules.AddRange(rules);
        return kept;
    }

    /// <summary>Reads what is kept.</summary>
    public static CorsRules OfProperty(string property) =>
        Parse(XElement.Parse($"<CORSConfiguration>{property}</CORSConfiguration>"));

    /// <summary>The first rule for a request; null if there is none.</summary>
    public Rule? Find(string origin, string method, IReadOnlyList<string> headers) => rules.Find(rule =>
        rule.Origins.Any(pattern => Matches(pattern, origin, StringComparison.Ordinal))
        && rule.Methods.Contains(method)
        && headers.All(header => rule.Headers.Any(pattern => Matches(pattern, header, StringComparison.OrdinalIgnoreCase))));

    static Rule ParseRule(XElement rule)
    {
        rule.AllowOnly("ID", "AllowedOrigin", "AllowedMethod", "AllowedHeader", "ExposeHeader", "MaxAgeSeconds");
        var parsed = new Rule(
            rule.Text("ID"),
            Values(rule, "AllowedOrigin"),
            Values(rule, "AllowedMethod"),
            Values(rule, "AllowedHeader"),
            Values(rule, "ExposeHeader"),
            rule.Text("MaxAgeSeconds") is { } age ? ParseAge(age) : null);
        if (parsed.Origins.Length == 0 || parsed.Methods.Length == 0)
            throw S3Error.MalformedXml.Because("A rule needs an origin and a method.");
        foreach (var method in parsed.Methods)
        {
            if (!Methods.Contains(method))
                throw S3Error.InvalidRequest.Because($"The method of a rule has to be one of {string.Join(", ", Methods)}.");
        }

        foreach (var pattern in parsed.Origins.Concat(parsed.Headers))
        {
            if (pattern.Count(letter => letter == '*') > 1)
                throw S3Error.InvalidRequest.Because("An origin or a header of a rule has more than one star.");
        }

        foreach (var text in parsed.Origins.Concat(parsed.Headers).Concat(parsed.Exposed))
        {
            if (text.Any(letter => letter is < ' ' or > '~'))
                throw S3Error.InvalidRequest.Because("A rule has characters that headers have not.");
        }

        return parsed;
    }

    static string[] Values(XElement rule, string name) => [.. rule.All(name).Select(element => element.Value)];

    static int ParseAge(string text) =>
        int.TryParse(text, System.Globalization.NumberStyles.None, null, out var age)
            ? age : throw S3Error.MalformedXml.Because("MaxAgeSeconds is no number.");

    static bool Matches(string pattern, string text, StringComparison comparison)
    {
        var star = pattern.IndexOf('*', StringComparison.Ordinal);
        if (star < 0) return pattern.Equals(text, comparison);
        return text.Length >= pattern.Length - 1
            && text.StartsWith(pattern[..star], comparison)
            && text.EndsWith(pattern[(star + 1)..], comparison);
    }

    /// <summary>One rule.</summary>
    internal sealed record Rule(string? Id, string[] Origins, string[] Methods, string[] Headers, string[] Exposed, int? MaxAgeSeconds)
    {
        public XElement ToXml() => new(
            "CORSRule",
            Id is null ? null : new XElement("ID", Id),
            Origins.Select(value => new XElement("AllowedOrigin", value)),
            Methods.Select(value => new XElement("AllowedMethod", value)),
            Headers.Select(value => new XElement("AllowedHeader", value)),
            Exposed.Select(value => new XElement("ExposeHeader", value)),
            MaxAgeSeconds is { } age ? new XElement("MaxAgeSeconds", age) : null);
    }
}
