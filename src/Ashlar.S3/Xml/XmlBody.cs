using System.Xml;
using System.Xml.Linq;

namespace Ashlar.S3;

/// <summary>XML that clients send: short, without a document type, and of the shape that is expected.</summary>
static class XmlBody
{
    const int MaxDepth = 16;

    /// <summary>Most elements, attributes and texts, unless a body may have more: each takes far more memory than it has bytes.</summary>
    public const int MaxNodes = 16_000;

    /// <summary>The root element of a request's body.</summary>
    /// <exception cref="S3Exception">It is no XML, or another root.</exception>
    public static async Task<XElement> ReadAsync(
        S3Request request, string root, int maxBytes, int maxNodes = MaxNodes, bool describesObject = false, S3Error? ifEmpty = null)
    {
        var content = await RequestBody.ReadAsync(request, maxBytes, describesObject);
        if (content.Length == 0) throw (ifEmpty ?? S3Error.MissingRequestBody).Exception();
        return Parse(content, root, maxNodes);
    }

    public static XElement Parse(byte[] content, string root, int maxNodes = MaxNodes)
    {
        var settings = new XmlReaderSettings
        {
            DtdProcessing = DtdProcessing.Prohibit,
            XmlResolver = null,
            MaxCharactersInDocument = content.Length,
            IgnoreComments = true,
            IgnoreProcessingInstructions = true,
        };
        try
        {
            using (var reader = XmlReader.Create(new MemoryStream(content), settings))
            {
                // A tree as deep as the document is long would not fit the stack.
                var nodes = 0;
                while (reader.Read())
                {
                    if (reader.NodeType is not (XmlNodeType.EndElement or XmlNodeType.Whitespace)) nodes += 1 + reader.AttributeCount;
                    if (reader.Depth > MaxDepth || nodes > maxNodes) throw S3Error.MalformedXml.Exception();
                }
            }

            using var second = XmlReader.Create(new MemoryStream(content), settings);
            var element = XDocument.Load(second).Root;
            return element?.Name.LocalName == root ? element : throw S3Error.MalformedXml.Because($"The root element has to be {root}.");
        }
        catch (Exception bad) when (bad is XmlException or InvalidOperationException)
        {
            throw new S3Exception(S3Error.MalformedXml, S3Error.MalformedXml.Message, bad);
        }
    }

    /// <summary>Elements of a name; whether they are in the namespace of S3 or in none is the same.</summary>
    public static IEnumerable<XElement> All(this XElement parent, string name) =>
        parent.Elements().Where(element => element.Name.LocalName == name);

    /// <summary>The value of an element that is there once, or not.</summary>
    public static string? Text(this XElement parent, string name)
    {
        XElement? found = null;
        foreach (var element in parent.All(name))
        {
            if (found is not null) throw S3Error.MalformedXml.Because($"{name} is there twice.");
            found = element;
        }

        return found?.Value;
    }

    public static string Need(this XElement parent, string name) =>
        parent.Text(name) ?? throw S3Error.MalformedXml.Because($"{name} is missing.");

    /// <summary>Refuses elements that are not known: what they ask for would not be done.</summary>
    public static void AllowOnly(this XElement parent, params ReadOnlySpan<string> names)
    {
        foreach (var element in parent.Elements())
        {
            if (!names.Contains(element.Name.LocalName)) throw S3Error.MalformedXml.Because($"{element.Name.LocalName} is not known here.");
        }
    }
}
