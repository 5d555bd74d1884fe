using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Ashlar.Api;
using Ashlar.Planning;

namespace Ashlar.CommandLine;

/// <summary>Writes plans: tables for people, one object for programs.</summary>
static class PlanAnswer
{
    const int Width = 100;

    public static ExitCode Write<T>(
        Invocation invocation,
        string kind,
        UnitSystem? units,
        T plan,
        JsonTypeInfo<T> json,
        Action<TextWriter, Style> forPeople,
        IEnumerable<string>? names = null)
    {
        if (invocation.Format == OutputFormat.Name && names is null)
            throw Usage.Error("this plan has no names", "use --output table or json");
        var answer = new JsonObject { ["apiVersion"] = ApiVersion.Current, ["kind"] = kind };
        if (units is { } system) answer["units"] = NeedsFile.NameOf(system);
        if (invocation.Format == OutputFormat.Json)
        {
            var properties = JsonSerializer.SerializeToNode(plan, json)!.AsObject();
            foreach (var (name, value) in properties.ToArray())
            {
                properties.Remove(name);
                answer[name] = value;
            }
        }

        invocation.Write(answer, PlanJson.Strict.JsonObject, names ?? [], forPeople);
        return ExitCode.Ok;
    }

    /// <summary>Says which units the tables are in.</summary>
    public static void WriteUnits(TextWriter writer, Style style, UnitSystem units)
    {
        writer.WriteLine();
        writer.WriteLine(style.Dim(units == UnitSystem.Binary
            ? "Sizes are binary: 1 GiB is 1024 MiB, 2^30 bytes. Rates and counts are decimal."
            : "Sizes are decimal: 1 GB is 1000 MB, 10^9 bytes. Rates and counts are decimal."));
    }

    /// <summary>Writes text in lines of at most 100 characters.</summary>
    public static void WriteText(TextWriter writer, string text, string first = "", string next = "")
    {
        var line = first;
        var isEmpty = true;
        foreach (var word in text.Split(' '))
        {
            if (!isEmpty && line.Length + 1 + word.Length > Width)
            {
                writer.WriteLine(line);
                (line, isEmpty) = (next, true);
            }

            line += isEmpty ? word : $" {word}";
            isEmpty = false;
        }

        writer.WriteLine(line);
    }

    /// <summary>Writes a label and a text beside it.</summary>
    public static void WriteFact(TextWriter writer, Style style, string label, string text)
    {
        // Colour has no width: the label is styled after the line is cut.
        var lines = new StringWriter { NewLine = "\n" };
        WriteText(lines, text, "   " + label.PadRight(12), new string(' ', 15));
        var plain = lines.ToString();
        writer.Write($"   {style.Dim(label.PadRight(12))}{plain[15..]}");
    }
}

/// <summary>Integers beyond 2^53 are strings: many programs read numbers as doubles, and would round them.</summary>
sealed class ExactInteger : JsonConverter<long>
{
    const long LargestExact = 1L << 53;

    public override long Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String
            ? long.Parse(reader.GetString()!, System.Globalization.CultureInfo.InvariantCulture)
            : reader.GetInt64();

    public override void Write(Utf8JsonWriter writer, long value, JsonSerializerOptions options)
    {
        if (value is > LargestExact or < -LargestExact)
            writer.WriteStringValue(value.ToString(System.Globalization.CultureInfo.InvariantCulture));
        else writer.WriteNumberValue(value);
    }
}

/// <summary>Decimals without zeros at the end.</summary>
sealed class ShortDecimal : JsonConverter<decimal>
{
    public override decimal Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) => reader.GetDecimal();

    // Division by 1 with 28 zeros takes the zeros away.
    public override void Write(Utf8JsonWriter writer, decimal value, JsonSerializerOptions options) =>
        writer.WriteNumberValue(value / 1.0000000000000000000000000000m);
}

/// <summary>How plans are written.</summary>
[JsonSerializable(typeof(JsonObject))]
[JsonSerializable(typeof(Estimate))]
[JsonSerializable(typeof(Advice))]
[JsonSerializable(typeof(ClusterPlan))]
[JsonSerializable(typeof(SkewReport))]
[JsonSerializable(typeof(MigrationPlan))]
sealed partial class PlanJson : JsonSerializerContext
{
    public static PlanJson Strict { get; } = new(ApiJson.Apply(new JsonSerializerOptions
    {
        Converters = { new ExactInteger(), new ShortDecimal(), new JsonStringEnumConverter<StoreKind>(JsonNamingPolicy.KebabCaseLower) },
    }));
}
