using System.Globalization;
using System.Text;
using System.Xml;
using Microsoft.AspNetCore.Http;

namespace Ashlar.S3;

/// <summary>An answer in XML as it is written.</summary>
sealed class XmlAnswer : IDisposable
{
    const string Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

    // Keys may have characters that XML has not; they are written as references, as S3 does, unless a client asks for another encoding.
    // So are line ends, which whoever reads XML makes others of.
    static readonly XmlWriterSettings Settings = new()
    {
        Encoding = new UTF8Encoding(false),
        CheckCharacters = false,
        NewLineHandling = NewLineHandling.Entitize,
    };

    readonly MemoryStream content = new();
    readonly XmlWriter writer;
    readonly bool encodesKeys;

    public XmlAnswer(string root, bool encodesKeys = false, bool hasNamespace = true)
    {
        this.encodesKeys = encodesKeys;
        writer = XmlWriter.Create(content, Settings);
        writer.WriteStartDocument();
        if (hasNamespace) writer.WriteStartElement(root, Namespace);
        else writer.WriteStartElement(root);
    }

    public XmlAnswer Text(string name, string? value)
    {
        if (value is not null)
        {
            writer.WriteStartElement(name);
            writer.WriteString(value);
            writer.WriteEndElement();
        }

        return this;
    }

    public XmlAnswer Text(string name, long value) => Text(name, value.ToString(CultureInfo.InvariantCulture));

    public XmlAnswer Text(string name, bool value) => Text(name, value ? "true" : "false");

    public XmlAnswer Time(string name, DateTimeOffset value) => Text(name, FormatTime(value));

    /// <summary>A key, or what keys begin with, encoded if the client has asked for that.</summary>
    public XmlAnswer Key(string name, string? value) =>
        Text(name, value is null || !encodesKeys ? value : UriText.Encode(value, keepsSlash: true));

    public XmlAnswer Tag(string value) => Text("ETag", $"\"{value}\"");

    public XmlAnswer Owner(string id, string name = "Owner") => Element(name, owner => owner.Text("ID", id).Text("DisplayName", id));

    public XmlAnswer Element(string name, Action<XmlAnswer> write)
    {
        writer.WriteStartElement(name);
        write(this);
        writer.WriteEndElement();
        return this;
    }

    /// <summary>An element with a type, as access control lists have it.</summary>
    public XmlAnswer Typed(string name, string type, Action<XmlAnswer> write)
    {
        writer.WriteStartElement(name);
        writer.WriteAttributeString("xsi", "type", "http://www.w3.org/2001/XMLSchema-instance", type);
        write(this);
        writer.WriteEndElement();
        return this;
    }

    /// <summary>XML that was checked when it came in.</summary>
    public XmlAnswer Raw(string xml)
    {
        writer.WriteRaw(xml);
        return this;
    }

    /// <summary>Sends it.</summary>
    public async Task SendAsync(HttpContext http, int status = StatusCodes.Status200OK)
    {
        writer.WriteEndDocument();
        writer.Flush();
        http.Response.StatusCode = status;
        http.Response.ContentType = "application/xml";
        http.Response.ContentLength = content.Length;
        if (!HttpMethods.IsHead(http.Request.Method))
            await http.Response.Body.WriteAsync(content.GetBuffer().AsMemory(0, (int)content.Length), http.RequestAborted);
    }

    public void Dispose() => writer.Dispose();

    static string FormatTime(DateTimeOffset time) =>
        time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
}
