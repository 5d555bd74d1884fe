using System.Globalization;
using System.Text;

namespace Ashlar.Server;

/// <summary>Figures in Prometheus' text format, version 0.0.4: each family is announced once, and its samples follow.</summary>
sealed class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    readonly StringBuilder text = new();
    string family = "";

    /// <summary>Begins a family: "counter", "gauge" or "histogram".</summary>
    public void Begin(string name, string type, string help)
    {
        family = name;
        text.Append("# HELP ").Append(name).Append(' ').Append(help).Append('\n');
        text.Append("# TYPE ").Append(name).Append(' ').Append(type).Append('\n');
    }

    /// <summary>A sample of the family.</summary>
    public void Add(double value, params ReadOnlySpan<(string Name, string Value)> labels) => Add("", value, labels);

    /// <summary>A sample of a part of the family: "_bucket", "_sum", "_count".</summary>
    public void Add(string part, double value, params ReadOnlySpan<(string Name, string Value)> labels)
    {
        text.Append(family).Append(part);
        for (var i = 0; i < labels.Length; i++)
        {
            text.Append(i == 0 ? '{' : ',').Append(labels[i].Name).Append("=\"");
            foreach (var character in labels[i].Value) text.Append(Escape(character));
            text.Append('"');
        }
        if (labels.Length > 0) text.Append('}');
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    /// <summary>A number as labels and values have it: shortest, and the same when it is read.</summary>
    public static string Number(double value) =>
        double.IsPositiveInfinity(value) ? "+Inf" : value.ToString("R", CultureInfo.InvariantCulture);

    public override string ToString() => text.ToString();

    static string Escape(char character) => character switch
    {
        '\\' => @"\\",
        '"' => "\\\"",
        '\n' => @"\n",
        _ => character.ToString(),
    };
}
