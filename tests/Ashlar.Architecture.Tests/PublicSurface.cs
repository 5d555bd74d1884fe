using System.Globalization;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Text;

namespace Ashlar.Architecture.Tests;

/// <summary>What users of an assembly see, as text: one line a type, one a member, sorted. What the compiler adds to records is left
/// out.</summary>
static class PublicSurface
{
    const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    static readonly Dictionary<Type, string> Keywords = new()
    {
        [typeof(void)] = "void",
        [typeof(bool)] = "bool",
        [typeof(byte)] = "byte",
        [typeof(char)] = "char",
        [typeof(int)] = "int",
        [typeof(long)] = "long",
        [typeof(uint)] = "uint",
        [typeof(ulong)] = "ulong",
        [typeof(ushort)] = "ushort",
        [typeof(short)] = "short",
        [typeof(double)] = "double",
        [typeof(string)] = "string",
        [typeof(object)] = "object",
        [typeof(decimal)] = "decimal",
    };

    public static string Of(Assembly assembly)
    {
        var text = new StringBuilder();
        foreach (var type in assembly.GetExportedTypes().OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            text.Append(KindOf(type)).Append(' ').Append(type.Namespace).Append('.').Append(NameOf(type));
            text.Append(BasesOf(type)).Append('\n');
            foreach (var member in MembersOf(type).Order(StringComparer.Ordinal)) text.Append("    ").Append(member).Append('\n');
        }

        return text.ToString();
    }

    static string KindOf(Type type) =>
        type.IsEnum ? "enum"
        : typeof(Delegate).IsAssignableFrom(type) ? "delegate"
        : type.IsInterface ? "interface"
        : type.IsValueType ? type.IsByRefLike ? "ref struct" : "struct"
        : type is { IsAbstract: true, IsSealed: true } ? "static class"
        : type.IsAbstract ? "abstract class"
        : type.IsSealed ? "sealed class" : "class";

    static string BasesOf(Type type)
    {
        if (type.IsEnum || typeof(Delegate).IsAssignableFrom(type)) return "";
        var inherited = type.BaseType?.GetInterfaces() ?? [];
        var interfaces = type.GetInterfaces().Where(one => one.IsVisible && !inherited.Contains(one)).ToArray();
        var shown = interfaces.Where(one => !interfaces.Any(other => other != one && other.GetInterfaces().Contains(one)))
            .Where(one => !(one.IsGenericType && one.GetGenericTypeDefinition() == typeof(IEquatable<>)))
            .Select(NameOf).Order(StringComparer.Ordinal).ToList();
        if (type.BaseType is { } parent && parent != typeof(object) && parent != typeof(ValueType)) shown.Insert(0, NameOf(parent));
        return shown.Count == 0 ? "" : " : " + string.Join(", ", shown);
    }

    static IEnumerable<string> MembersOf(Type type)
    {
        if (type.IsEnum)
        {
            foreach (var value in type.GetFields(BindingFlags.Public | BindingFlags.Static))
                yield return $"{value.Name} = {Convert.ToString(value.GetRawConstantValue(), CultureInfo.InvariantCulture)}";
            yield break;
        }

        foreach (var constructor in type.GetConstructors(Declared).Where(IsSeen).Where(IsWritten))
            yield return $"new({ParametersOf(constructor)})";
        foreach (var method in type.GetMethods(Declared).Where(IsSeen).Where(IsWritten).Where(method => !IsAccessor(method)))
        {
            var generics = method.IsGenericMethod ? $"<{string.Join(", ", method.GetGenericArguments().Select(NameOf))}>" : "";
            yield return $"{StaticOf(method.IsStatic)}{NameOf(method.ReturnType)} {method.Name}{generics}({ParametersOf(method)})";
        }

        foreach (var property in type.GetProperties(Declared).Where(one => one.GetAccessors(nonPublic: true).Any(IsSeen)))
        {
            if (property.Name == "EqualityContract") continue;
            var indices = property.GetIndexParameters() is { Length: > 0 } found ? $"[{string.Join(", ", found.Select(Parameter))}]" : "";
            var isStatic = property.GetAccessors(nonPublic: true)[0].IsStatic;
            var accessors = $"{{{Get(property)}{Set(property)} }}";
            yield return $"{StaticOf(isStatic)}{NameOf(property.PropertyType)} {property.Name}{indices} {accessors}";
        }

        foreach (var field in type.GetFields(Declared).Where(field => field.IsPublic || field.IsFamily))
            yield return $"{(field.IsLiteral ? "const " : StaticOf(field.IsStatic))}{NameOf(field.FieldType)} {field.Name}";
        foreach (var one in type.GetEvents(Declared).Where(one => IsSeen(one.AddMethod!)))
            yield return $"event {NameOf(one.EventHandlerType!)} {one.Name}";
    }

    static bool IsSeen(MethodBase method) => method.IsPublic || method.IsFamily || method.IsFamilyOrAssembly;

    static bool IsWritten(MethodBase method) =>
        method.GetCustomAttribute<CompilerGeneratedAttribute>() is null && !method.Name.StartsWith('<');

    static bool IsAccessor(MethodInfo method) => method.IsSpecialName && !method.Name.StartsWith("op_", StringComparison.Ordinal);

    static string Get(PropertyInfo property) => property.GetMethod is { } get && IsSeen(get) ? " get;" : "";

    static string Set(PropertyInfo property)
    {
        if (property.SetMethod is not { } set || !IsSeen(set)) return "";
        return set.ReturnParameter.GetRequiredCustomModifiers().Contains(typeof(IsExternalInit)) ? " init;" : " set;";
    }

    static string StaticOf(bool isStatic) => isStatic ? "static " : "";

    static string ParametersOf(MethodBase method) => string.Join(", ", method.GetParameters().Select(Parameter));

    static string Parameter(ParameterInfo parameter)
    {
        var type = parameter.ParameterType;
        var passing = !type.IsByRef ? "" : parameter.IsOut ? "out " : parameter.IsIn ? "in " : "ref ";
        return $"{passing}{NameOf(type)} {parameter.Name}{(parameter.HasDefaultValue ? " = " + Default(parameter) : "")}";
    }

    static string Default(ParameterInfo parameter) => parameter.DefaultValue switch
    {
        null => "default",
        string text => $"\"{text}\"",
        bool flag => flag ? "true" : "false",
        Enum value => value.ToString(),
        var value when parameter.ParameterType.IsEnum => Enum.ToObject(parameter.ParameterType, value).ToString()!,
        var value => Convert.ToString(value, CultureInfo.InvariantCulture)!,
    };

    static string NameOf(Type type)
    {
        if (type.IsByRef) return NameOf(type.GetElementType()!);
        if (type.IsPointer) return NameOf(type.GetElementType()!) + "*";
        if (type.IsArray) return $"{NameOf(type.GetElementType()!)}[{new string(',', type.GetArrayRank() - 1)}]";
        if (Nullable.GetUnderlyingType(type) is { } value) return NameOf(value) + "?";
        if (Keywords.TryGetValue(type, out var keyword)) return keyword;
        var name = type.IsNested && !type.IsGenericParameter ? $"{NameOf(type.DeclaringType!)}.{type.Name}" : type.Name;
        if (!type.IsGenericType) return name;
        var tick = name.LastIndexOf('`');
        return tick < 0 ? name : $"{name[..tick]}<{string.Join(", ", type.GetGenericArguments().Select(NameOf))}>";
    }
}
